# Varnish in front of Skywave: many requests for one answer become one request, and all who wait
# get the bytes as they come. This is the cache for low-latency HLS and low-latency DASH.
#
# It has no TLS: put nginx (nginx.conf beside this file, its upstream skywave_media) or a CDN before
# it. Start Skywave with SKYWAVE_TRUST_PROXY=true. Check this file with `varnishd -C -f`.
#
#   varnishd -a 127.0.0.1:6081 -f varnish.vcl -s malloc,256m -p backend_idle_timeout=10 -p pipe_timeout=3600
#
# backend_idle_timeout: Skywave closes idle connections after 15 s. pipe_timeout: a socket may be
# silent for longer than the usual minute. Each piped WebSocket holds a thread for as long as it
# lives (10,000 by default), so at scale let nginx send the sockets to Skywave directly.
vcl 4.1;

backend skywave {
  .host = "127.0.0.1";
  .port = "8080";
  .connect_timeout = 2s;
  # A blocked reload is answered after three target durations at the latest: 12 s, and 30 s with
  # the longest segments that can be set.
  .first_byte_timeout = 35s;
  .between_bytes_timeout = 35s;
}

# After each of these the built-in subroutine of the same name goes on: it passes what is no GET or
# HEAD and whatever has an Authorization header, and hashes the whole URL, query included.

sub vcl_recv {
  if (req.url ~ "^/api/v1/channels/[^/?]+/(publish|listen)(\?|$)" && req.http.Upgrade ~ "(?i)^websocket$") {
    return (pipe);
  }
  unset req.http.Upgrade;
  # Recordings are large, and would push the live window out of the memory.
  if (req.url !~ "^/c/[^/?]+/(hls|dash|media)/") {
    return (pass);
  }
  # Never cacheable: collapsed, the requests would be let through one after the other.
  if (req.url ~ "^/c/[^/?]+/dash/time(\?|$)") {
    return (pass);
  }
  # Programs that Skywave sends to another manifest, which is cached like this one.
  if (req.url ~ "^/c/[^/?]+/dash/manifest\.mpd(\?|$)" && req.http.User-Agent ~ "^(Lavf/|libmpv|mpv|GStreamer)") {
    return (pass);
  }
  # The same for everybody, so nobody's cookies matter, and none may keep the answer from the cache.
  unset req.http.Cookie;
}

sub vcl_pipe {
  set bereq.http.Upgrade = req.http.Upgrade;
  set bereq.http.Connection = "Upgrade";
}

sub vcl_backend_response {
  # A playlist that is over its time is wrong, and a player that gets one falls behind.
  set beresp.grace = 0s;
  set beresp.keep = 0s;
  # Parts and growing segments go on to all who wait while they still come in.
  set beresp.do_stream = true;
  if (bereq.url ~ "^/c/[^/?]+/(hls|dash|media)/" && !bereq.uncacheable) {
    unset beresp.http.Set-Cookie;
    # As they are, these are no-store, and the built-in subroutine would remember for two minutes
    # not to collapse requests for that URL (hit-for-miss): the worst time to let all through.
    if (beresp.status == 400 || beresp.status >= 500) {
      set beresp.ttl = 1s;
      return (deliver);
    }
  }
}

sub vcl_backend_error {
  # The same when Skywave does not answer at all.
  set beresp.ttl = 1s;
  set beresp.grace = 0s;
}
