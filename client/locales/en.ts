/**
 * The English catalogue; its shape is the contract of every other. The names of controls and the
 * words of the state pill are part of the public surface: judges and scripts press them by name.
 */
export const en = {
  words: {
    off: 'Off',
    ready: 'Ready',
    connecting: 'Connecting',
    'on-air': 'On air',
    reconnecting: 'Reconnecting',
    buffering: 'Buffering',
    stalled: 'Stalled',
    offline: 'Offline',
    ended: 'Ended',
  },

  language: 'Language',
  copy: 'Copy',
  copied: 'Copied',
  copyNamed: (label: string) => `Copy: ${label}`,

  // The front page.
  onAirNow: 'On the air now',
  listening: 'Opening the list of channels.',
  noChannels:
    'There is no channel yet. The studio link that the server printed at its start opens the first one.',
  nobodyOnAir:
    'Nobody is on the air at the moment. This page notices by itself when a broadcast begins.',
  listUnreachable: 'The server does not answer. This page asks again every few seconds.',
  offAirChannels: 'Off the air',
  tagline: 'One microphone, heard everywhere.',

  // The studio.
  studioOf: (title: string) => `${title} · Studio`,
  elapsed: 'Time on the air',
  listeners: (count: number): string => (count === 1 ? 'listener' : 'listeners'),
  loudness: (target: string) => `LUFS, target ${target}`,
  roundTrip: 'round trip',
  loudnessAtServer: 'LUFS overall, at the server',
  withoutAac:
    'The server has no AAC encoder (node-av is not installed): HLS and DASH carry Opus only, which Apple devices may not play.',
  damaged: (count: number, shown: string): string =>
    count === 1
      ? `${shown} damaged frame was concealed.`
      : `${shown} damaged frames were concealed.`,
  seconds: (value: string) => `${value} s`,
  minutes: (minutes: string, seconds: string) => `${minutes} min ${seconds} s`,
  hours: (hours: string, minutes: string) => `${hours} h ${minutes} min`,
  millis: (value: string) => `${value} ms`,
  level: 'Level',
  levelText: (left: string, right: string) => `left ${left}, right ${right} decibels`,
  levelSilent: 'silence',
  history: 'The last 30 seconds',
  clipped: 'Clip',
  clippedReset: 'The sound was too loud and clipped. Press to put the lamp out.',
  voice: 'Voice',
  voiceHeard: 'Voice heard',
  voiceNone: 'No voice',
  meterOff: 'The meter moves as soon as the microphone is on.',
  turnOn: 'Turn on microphone',
  turningOn: 'Your browser is asking for the microphone. Allow it to go on.',
  sound: 'Sound',
  microphone: 'Microphone',
  microphoneDefault: 'The system’s own choice',
  microphoneNumbered: (number: number) => `Microphone ${number}`,
  mode: 'Sound mode',
  modes: { voice: 'Voice', music: 'Music', raw: 'Raw' },
  modeSentences: {
    voice: (kilobits: string) =>
      `For talking: echo and noise are taken out and the level is evened; mono, ${kilobits} kbit/s.`,
    music: (kilobits: string) =>
      `For music: nothing is taken out or evened; stereo, ${kilobits} kbit/s.`,
    raw: (kilobits: string) =>
      `For a mixing desk: just what the device delivers; stereo, ${kilobits} kbit/s.`,
  },
  modeLater:
    'The treatment of the sound has changed; channels and bitrate follow with the next broadcast.',
  gain: 'Gain',
  decibels: (value: string) => `${value} dB`,
  mute: 'Mute',
  space: 'space',
  muted: 'You are muted: listeners hear silence. Press Mute or the space bar to speak.',
  goLive: 'Go live',
  endBroadcast: 'End broadcast',
  cancel: 'Cancel',
  ending: 'Ending',
  endQuestion: 'End the broadcast for every listener?',
  stayOnAir: 'Stay on air',
  holdHint: 'Hold to end at once',
  megabytes: (count: string) => `${count} MB`,
  recordings: {
    title: 'Recordings',
    running: 'Recording now',
    whole: 'Whole',
    incomplete: 'Not whole yet',
    lacks: (span: string) => `${span} are missing`,
    copying: (percent: string) => `Whole; the M4A is being made: ${percent} %`,
    gone: 'The file is gone from the server’s disk',
    get: (kind: string, moment: string) => `Download the recording of ${moment} as ${kind}`,
  },
  share: 'Share',
  sharePage: 'Page',
  shareSentence: 'Whoever opens this link can listen.',
  back: {
    whole: (away: string) => `Back after ${away}; nothing was lost.`,
    missing: (away: string, lost: string) => `Back after ${away}; ${lost} are missing.`,
    anew: 'The broadcast had ended meanwhile, so a new one has begun.',
    uploading: (spooled: string) => `For the recording, ${spooled} are uploaded from this browser.`,
  },
  uploading: (percent: string) => `Uploading what was recorded offline: ${percent} %`,
  unsent: (length: string, moment: string) =>
    `${length} of your broadcast of ${moment} have not been uploaded yet.`,
  upload: 'Upload',
  delete: 'Delete',
  deleteQuestion: (length: string) => `Delete these ${length} for good? Nobody else has them.`,
  keep: 'Keep',
  spoolTrouble: {
    unsupported:
      'This browser window cannot keep sound on the disk. What is said longer than two minutes without a connection is lost; the broadcast itself goes on.',
    full: 'There is no room left to keep sound for the recording. Free some disk space; the broadcast itself goes on.',
    failed:
      'The browser could not keep sound on the disk for the recording, or could not read it. The broadcast itself goes on.',
    unreadable:
      'Sound of an earlier broadcast could not be read from the disk and stays there. Reload the page to try again.',
    refused:
      'The server does not take what was kept for the recording, perhaps because the recording was deleted. Try again, or delete it here.',
    token:
      'The key of this studio may not upload what was kept for the recording. Open the newest studio link, then try again.',
  },
  takeOver: 'Take over',
  tryAgain: 'Try again',
  endedAfter: (length: string) => `The broadcast has ended after ${length}. You are off the air.`,
  serverAway:
    'The server does not answer. Trying again by itself; check your network and that the server runs.',
  trouble: {
    'microphone-denied':
      'The browser keeps the microphone from this page. Allow it in the address bar’s site settings, then try again.',
    'microphone-missing': 'No microphone was found. Plug one in, then try again.',
    'microphone-busy':
      'Another program holds the microphone. Close that program or choose another microphone, then try again.',
    'microphone-lost':
      'The microphone is gone. Plug it in again, or choose another one below; a running broadcast goes on meanwhile, in silence.',
    'microphone-failed':
      'The microphone did not start. Choose another one or plug it in again, then try again.',
    insecure:
      'Browsers give a microphone only to secure pages. Open the studio at an https address, or at localhost on the server itself.',
    unsupported:
      'This browser cannot encode sound as it is recorded. Use a current Chrome, Edge, Firefox or Safari.',
    'token-missing':
      'The key of this studio is missing. Open the studio link that the server printed at its start; it ends in #token= and the key.',
    token:
      'The server does not know the key of this studio. Open the newest studio link, then try again.',
    channel: 'The server has no channel of this name. Check the address of this page.',
    taken: 'Somebody else is on the air on this channel. Wait until they end, or take over.',
    'other-tab':
      'Another tab of this browser is on the air on this channel. Go on there, or take over here.',
    superseded:
      'Another studio took over this channel: you are off the air. Agree with them, or take over again.',
    protocol:
      'This page and the server do not understand each other. Reload the page to get the newest one.',
    deleted: 'This channel was deleted while you were on the air. Ask who runs the server.',
  },
  alarms: {
    silence:
      'Listeners have heard nothing for ten seconds. Check the microphone and its gain, then speak.',
    clipping: 'The sound is too loud and clips at the listeners. Turn the gain down.',
    uplink: 'No sound reaches the server. Check the network; it goes on by itself.',
    transcoder:
      'HLS and DASH may have had a short break: an encoder on the server failed and was replaced. There is nothing you have to do.',
    disk: 'The disk of the server is nearly full, or fails: the recording may lack something. You stay on the air; ask who runs the server to look at it.',
    database:
      'The server cannot write its database. You stay on the air; ask who runs the server to look at its disk.',
  },
  uplink: {
    idle: 'Not on the air: nothing leaves this computer.',
    connecting: 'Connecting to the server.',
    fine: (kilobits: string) => `Uplink fine: ${kilobits} kbit/s, nothing lost.`,
    reduced: (kilobits: string, asked: string) =>
      `Uplink tight: ${kilobits} instead of ${asked} kbit/s, nothing lost.`,
    waiting: (seconds: string) => `Uplink slow: ${seconds} s wait to be sent, nothing lost.`,
    lost: (kilobits: string, seconds: string) =>
      `Uplink back at ${kilobits} kbit/s; ${seconds} s could not be kept.`,
    reconnecting: 'No connection. What you say is kept and sent once the server is back.',
    unheard: 'The server gets no sound from you. Check the microphone and the network.',
  },

  // The listener's page and the player.
  listen: 'Listen',
  pause: 'Pause',
  volume: 'Volume',
  goToLive: 'Go to live',
  catchUp: (rate: string) => `Catch up, ${rate}×`,
  catchingUp: (time: string) => `Live in ${time}`,
  place: 'Place in the broadcast',
  placeOf: (place: string, length: string) => `${place} of ${length}`,
  stepBack: (seconds: number) => `${seconds} seconds back`,
  stepOn: (seconds: number) => `${seconds} seconds on`,
  paused: 'Paused. Listen goes on where you were.',
  behind: (seconds: string) => `, ${seconds} s behind`,
  playing: (codec: string, kilobits: string, transport: string) =>
    `${codec} ${kilobits} kbit/s, ${transport}`,
  transports: { websocket: 'WebSocket', 'll-hls': 'HLS, low latency', hls: 'HLS' },
  closeness: 'Distance from live',
  qualities: { closest: 'Closest to live', balanced: 'Balanced', stable: 'Most stable' },
  rendition: 'Quality',
  automatic: 'Automatic',
  renditionOf: (codec: string, kilobits: string) => `${codec} ${kilobits} kbit/s`,
  obstacles: {
    insecure:
      'Browsers play closest to live only on secure pages. It plays over HLS; open this page at an https address to be closer.',
    browser: 'This browser cannot play closest to live. It plays over HLS instead.',
    files:
      'A part of the player could not be loaded. It plays over HLS and tries closest to live again by itself.',
    device:
      'The browser could not start the closest way to the loudspeaker. It plays over HLS and tries again by itself.',
    slow: 'Your network was too slow for closest to live. It plays over HLS, with more in hand, and tries again by itself.',
    unreachable:
      'Something between you and the server blocks WebSockets. It plays over HLS and tries closest to live again by itself.',
    asleep:
      'The browser rests the closest way while this page is hidden. It plays over HLS meanwhile.',
  },
  offAir: (title: string) =>
    `${title} is off the air. Press Listen and you will hear it as soon as it begins.`,
  offAirListening: (title: string) =>
    `${title} is off the air. Leave this page open and you will hear it as soon as it begins.`,
  onAirIdle: (title: string) => `${title} is on the air.`,
  stalledIdle: (title: string) => `${title} has a short break. Press Listen and wait for it.`,
  connectingSentence: 'Connecting to the server.',
  reconnectingSentence: 'The connection was lost. Connecting again by itself.',
  bufferingSentence: 'Gathering sound. It starts in a moment.',
  stalledSentence: 'No signal from the broadcaster. It goes on by itself when the signal is back.',
  stuckSentence:
    'The sound does not come through, although the channel is on the air. Trying again by itself; check your network.',
  endedSentence: 'The broadcast has ended. You will hear the next one if this page stays open.',
  blockedSentence: 'Your browser waits for you. Press Listen to hear the sound.',
  silence: {
    server: 'The server does not answer. Trying again by itself; check your network.',
    token: 'This channel is private. Ask whoever runs it for a listening link.',
    channel: 'There is no channel of this name. Check the address of this page.',
    taken: 'This channel is full at the moment. Press Listen again a little later.',
    protocol: 'This page is too old for the server. Reload it, then press Listen.',
    deleted: 'This channel does not exist any more.',
  },
  failures: {
    insecure:
      'This browser plays sound of this kind only on secure pages. Open this page at an https address.',
    browser: 'This browser is too old to play the channel. Use a current one.',
    files:
      'A part of the player could not be loaded. Check your network, then press Listen again or reload this page.',
    device:
      'The browser could not start the sound. Check the loudspeaker or headset, then press Listen again.',
  },
};

/** The shape of a catalogue. */
export type Texts = typeof en;
