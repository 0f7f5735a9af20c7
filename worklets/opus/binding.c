/*
 * The whole surface of libopus that Skywave uses from WebAssembly. One instance is one decoder or
 * one encoder: its state and both its buffers are static, so nothing is allocated, and memory
 * never grows. The decoder-only artefact is this same file linked with fewer exports.
 */
#include <opus.h>

#define PACKET_BYTES 3828 /* the native codec's limit, three full frames */
#define PCM_SAMPLES 5760  /* 120 ms, a channel: the longest packet decodes to it */
#define ENCODE_SAMPLES 2880

unsigned char packet[PACKET_BYTES];
opus_int16 pcm[2 * PCM_SAMPLES];
static _Alignas(16) unsigned char decoder[27 * 1024];
static _Alignas(16) unsigned char encoder[48 * 1024];

#define DECODER ((OpusDecoder *)decoder)
#define ENCODER ((OpusEncoder *)encoder)

int decoder_init(int channels) {
  if (opus_decoder_get_size(channels) > (int)sizeof decoder) return OPUS_ALLOC_FAIL;
  return opus_decoder_init(DECODER, 48000, channels);
}

/* Without bytes it conceals; `samples` is then the duration wanted, as it is with `fec`. */
int decoder_decode(int bytes, int samples, int fec) {
  if (bytes > PACKET_BYTES || samples > PCM_SAMPLES) return OPUS_BAD_ARG;
  return opus_decode(DECODER, bytes ? packet : 0, bytes, pcm, samples, fec);
}

int encoder_init(int channels, int application) {
  if (opus_encoder_get_size(channels) > (int)sizeof encoder) return OPUS_ALLOC_FAIL;
  return opus_encoder_init(ENCODER, 48000, channels, application);
}

int encoder_encode(int samples, int max_bytes) {
  if (samples > ENCODE_SAMPLES || max_bytes > PACKET_BYTES) return OPUS_BAD_ARG;
  return opus_encode(ENCODER, pcm, samples, packet, max_bytes);
}

int encoder_set(int request, int value) {
  return opus_encoder_ctl(ENCODER, request, value);
}

int encoder_get(int request) {
  opus_int32 value = 0;
  int error = opus_encoder_ctl(ENCODER, request, &value);
  return error ? error : value;
}
