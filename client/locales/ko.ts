/** The Korean catalogue, plain and polite. */
import type { Texts } from './en.ts';

export const ko: Texts = {
  words: {
    off: '꺼짐',
    ready: '준비됨',
    connecting: '연결 중',
    'on-air': '방송 중',
    reconnecting: '다시 연결 중',
    buffering: '버퍼링',
    stalled: '신호 없음',
    offline: '오프라인',
    ended: '종료됨',
  },

  language: '언어',
  copy: '복사',
  copied: '복사됨',
  copyNamed: (label) => `복사: ${label}`,

  onAirNow: '지금 방송 중',
  listening: '채널 목록을 불러오고 있습니다.',
  noChannels:
    '아직 채널이 없습니다. 서버를 시작할 때 표시된 스튜디오 링크를 열면 첫 채널이 열립니다.',
  nobodyOnAir: '지금은 방송 중인 채널이 없습니다. 방송이 시작되면 이 화면에 바로 나타납니다.',
  listUnreachable: '서버가 응답하지 않습니다. 몇 초마다 다시 확인합니다.',
  offAirChannels: '방송하지 않는 채널',
  tagline: '마이크 하나로, 어디서나 들리게.',

  studioOf: (title) => `${title} · 스튜디오`,
  elapsed: '방송 시간',
  listeners: () => '청취자',
  loudness: (target) => `LUFS, 목표 ${target}`,
  roundTrip: '왕복 시간',
  loudnessAtServer: 'LUFS, 서버에서 잰 전체',
  withoutAac:
    '서버에 AAC 인코더가 없어(node-av 미설치) HLS와 DASH를 Opus로만 보냅니다. Apple 기기에서는 재생되지 않을 수 있습니다.',
  damaged: (_count, shown) => `손상된 프레임 ${shown}개를 자연스럽게 메웠습니다.`,
  seconds: (value) => `${value}초`,
  minutes: (minutes, seconds) => `${minutes}분 ${seconds}초`,
  hours: (hours, minutes) => `${hours}시간 ${minutes}분`,
  millis: (value) => `${value} ms`,
  level: '음량 레벨',
  levelText: (left, right) => `왼쪽 ${left}, 오른쪽 ${right} 데시벨`,
  levelSilent: '무음',
  history: '최근 30초',
  clipped: '클리핑',
  clippedReset: '소리가 너무 커서 찌그러졌습니다. 누르면 표시가 꺼집니다.',
  voice: '목소리',
  voiceHeard: '목소리 들림',
  voiceNone: '목소리 없음',
  meterOff: '마이크를 켜면 레벨이 표시됩니다.',
  turnOn: '마이크 켜기',
  turningOn: '브라우저가 마이크 사용을 묻고 있습니다. 허용을 눌러 주세요.',
  sound: '소리',
  microphone: '마이크',
  microphoneDefault: '시스템 기본값',
  microphoneNumbered: (number) => `마이크 ${number}`,
  mode: '소리 모드',
  modes: { voice: '음성', music: '음악', raw: '원음' },
  modeSentences: {
    voice: (kilobits) =>
      `말하기에 알맞습니다. 울림과 잡음을 줄이고 음량을 고르게 맞춥니다. 모노, ${kilobits} kbit/s.`,
    music: (kilobits) =>
      `음악에 알맞습니다. 소리를 줄이거나 고르지 않습니다. 스테레오, ${kilobits} kbit/s.`,
    raw: (kilobits) =>
      `믹서에 알맞습니다. 장치에서 나오는 소리를 그대로 보냅니다. 스테레오, ${kilobits} kbit/s.`,
  },
  modeLater: '소리 처리 방식이 바뀌었습니다. 채널 수와 비트레이트는 다음 방송부터 적용됩니다.',
  gain: '게인',
  decibels: (value) => `${value} dB`,
  mute: '음소거',
  space: '스페이스',
  muted:
    '음소거 상태라 청취자에게 아무 소리도 들리지 않습니다. 음소거 버튼이나 스페이스 키를 눌러 해제하세요.',
  goLive: '방송 시작',
  endBroadcast: '방송 종료',
  cancel: '취소',
  ending: '종료하는 중',
  endQuestion: '모든 청취자에게 나가는 방송을 종료할까요?',
  stayOnAir: '계속 방송',
  holdHint: '길게 누르면 바로 종료됩니다',
  megabytes: (count) => `${count} MB`,
  recordings: {
    title: '녹음',
    running: '지금 녹음 중',
    whole: '빠진 부분 없음',
    incomplete: '아직 완전하지 않음',
    lacks: (span) => `${span}이 빠짐`,
    copying: (percent) => `빠진 부분 없음, M4A를 만드는 중: ${percent} %`,
    gone: '서버 디스크에 파일이 없습니다',
    get: (kind, moment) => `${moment} 녹음을 ${kind}(으)로 내려받기`,
  },
  share: '공유',
  sharePage: '페이지',
  shareSentence: '이 링크를 열면 누구나 들을 수 있습니다.',
  back: {
    whole: (away) => `${away} 만에 다시 연결되었습니다. 빠진 부분이 없습니다.`,
    missing: (away, lost) => `${away} 만에 다시 연결되었습니다. ${lost} 분량이 빠졌습니다.`,
    anew: '그동안 방송이 종료되어 새 방송이 시작되었습니다.',
    uploading: (spooled) => `녹음에 넣을 ${spooled} 분량을 이 브라우저에서 올리고 있습니다.`,
  },
  uploading: (percent) => `연결이 끊긴 동안 녹음된 부분을 올리는 중: ${percent}%`,
  unsent: (length, moment) => `${moment} 방송 중 ${length} 분량이 아직 업로드되지 않았습니다.`,
  upload: '업로드',
  delete: '삭제',
  deleteQuestion: (length) => `이 ${length} 분량을 완전히 삭제할까요? 다른 곳에는 없습니다.`,
  keep: '보관',
  spoolTrouble: {
    unsupported:
      '이 브라우저 창에서는 소리를 디스크에 보관할 수 없습니다. 연결이 2분 넘게 끊기면 그 뒤의 말은 사라지지만 방송은 계속됩니다.',
    full: '녹음에 넣을 소리를 보관할 공간이 없습니다. 디스크 공간을 비워 주세요. 방송은 계속됩니다.',
    failed:
      '녹음에 넣을 소리를 디스크에 보관하지 못했거나 디스크에서 읽지 못했습니다. 방송은 계속됩니다.',
    unreadable:
      '이전 방송의 소리를 디스크에서 읽지 못해 그대로 두었습니다. 페이지를 새로고침해 다시 시도하세요.',
    refused:
      '보관한 소리를 서버가 받지 않습니다. 녹음이 삭제되었을 수 있습니다. 다시 시도하거나 여기서 삭제하세요.',
    token:
      '이 스튜디오의 키로는 보관한 소리를 올릴 수 없습니다. 최신 스튜디오 링크를 연 뒤 다시 시도하세요.',
  },
  takeOver: '방송 넘겨받기',
  tryAgain: '다시 시도',
  endedAfter: (length) => `${length} 동안의 방송이 종료되었습니다. 이제 소리가 나가지 않습니다.`,
  serverAway:
    '서버가 응답하지 않습니다. 자동으로 다시 시도합니다. 네트워크와 서버 상태를 확인해 주세요.',
  trouble: {
    'microphone-denied':
      '브라우저가 마이크 사용을 막고 있습니다. 주소창의 사이트 설정에서 허용한 뒤 다시 시도해 주세요.',
    'microphone-missing': '마이크를 찾지 못했습니다. 마이크를 연결한 뒤 다시 시도해 주세요.',
    'microphone-busy':
      '다른 프로그램이 마이크를 쓰고 있습니다. 그 프로그램을 닫거나 다른 마이크를 고른 뒤 다시 시도해 주세요.',
    'microphone-lost':
      '마이크 연결이 끊겼습니다. 다시 연결하거나 아래에서 다른 마이크를 골라 주세요. 그동안 방송은 무음으로 이어집니다.',
    'microphone-failed':
      '마이크를 시작하지 못했습니다. 다른 마이크를 고르거나 다시 연결한 뒤 시도해 주세요.',
    insecure:
      '브라우저는 보안 페이지에서만 마이크를 허용합니다. https 주소로 열거나 서버 컴퓨터에서 localhost로 열어 주세요.',
    unsupported:
      '이 브라우저에서는 방송할 수 없습니다. 최신 Chrome, Edge, Firefox, Safari를 사용해 주세요.',
    'token-missing':
      '스튜디오 키가 없습니다. 서버를 시작할 때 표시된 스튜디오 링크를 열어 주세요. 링크 끝에 #token= 과 키가 있습니다.',
    token: '서버가 이 스튜디오 키를 알지 못합니다. 최신 스튜디오 링크를 연 뒤 다시 시도해 주세요.',
    channel: '이 이름의 채널이 서버에 없습니다. 페이지 주소를 확인해 주세요.',
    taken: '다른 사람이 이 채널에서 방송하고 있습니다. 끝날 때까지 기다리거나 방송을 넘겨받으세요.',
    'other-tab':
      '이 브라우저의 다른 탭에서 이 채널을 방송하고 있습니다. 그 탭에서 계속하거나 여기로 넘겨받으세요.',
    superseded:
      '다른 스튜디오가 이 채널을 넘겨받아 방송이 끊겼습니다. 서로 상의하거나 다시 넘겨받으세요.',
    protocol: '이 페이지와 서버의 버전이 맞지 않습니다. 페이지를 새로 고쳐 주세요.',
    deleted: '방송하는 동안 채널이 삭제되었습니다. 서버 관리자에게 문의해 주세요.',
  },
  alarms: {
    silence:
      '10초 동안 청취자에게 아무 소리도 나가지 않았습니다. 마이크와 게인을 확인하고 말해 보세요.',
    clipping: '소리가 너무 커서 청취자에게 찌그러져 들립니다. 게인을 낮춰 주세요.',
    uplink:
      '서버에 소리가 도착하지 않습니다. 네트워크를 확인해 주세요. 연결되면 자동으로 이어집니다.',
    transcoder:
      '서버의 인코더 하나가 멈춰 교체되었습니다. HLS와 DASH가 잠깐 끊겼을 수 있으며, 따로 하실 일은 없습니다.',
    disk: '서버 디스크가 거의 찼거나 고장입니다. 녹음 일부가 빠질 수 있습니다. 방송은 계속되며, 서버 관리자에게 디스크 확인을 요청해 주세요.',
    database:
      '서버가 데이터베이스에 쓰지 못하고 있습니다. 방송은 계속되며, 서버 관리자에게 디스크 확인을 요청해 주세요.',
  },
  uplink: {
    idle: '방송 중이 아닙니다. 이 컴퓨터에서 아무 소리도 나가지 않습니다.',
    connecting: '서버에 연결하고 있습니다.',
    fine: (kilobits) => `전송 상태 좋음: ${kilobits} kbit/s, 손실 없음.`,
    reduced: (kilobits, asked) => `전송이 빠듯함: ${asked} 대신 ${kilobits} kbit/s, 손실 없음.`,
    waiting: (seconds) => `전송이 느림: ${seconds}초 분량이 대기 중, 손실 없음.`,
    lost: (kilobits, seconds) =>
      `${kilobits} kbit/s로 다시 전송 중이며, ${seconds}초 분량은 보관하지 못했습니다.`,
    reconnecting: '연결이 끊겼습니다. 지금 하는 말은 보관했다가 서버가 돌아오면 보냅니다.',
    unheard: '서버에 소리가 도착하지 않습니다. 마이크와 네트워크를 확인해 주세요.',
  },

  listen: '듣기',
  pause: '일시 정지',
  volume: '음량',
  goToLive: '실시간으로',
  catchUp: (rate) => `따라잡기 ${rate}×`,
  catchingUp: (time) => `${time} 후 실시간`,
  place: '방송에서의 위치',
  placeOf: (place: string, length: string) => `${length} 중 ${place}`,
  stepBack: (seconds: number) => `${seconds}초 뒤로`,
  stepOn: (seconds: number) => `${seconds}초 앞으로`,
  paused: '일시 정지했습니다. 듣기를 누르면 그 자리에서 이어집니다.',
  behind: (seconds) => `, ${seconds}초 지연`,
  playing: (codec, kilobits, transport) => `${codec} ${kilobits} kbit/s, ${transport}`,
  transports: { websocket: 'WebSocket', 'll-hls': 'HLS, 저지연', hls: 'HLS' },
  closeness: '실시간과의 거리',
  qualities: { closest: '실시간에 가깝게', balanced: '균형', stable: '가장 안정적' },
  rendition: '음질',
  automatic: '자동',
  renditionOf: (codec, kilobits) => `${codec} ${kilobits} kbit/s`,
  obstacles: {
    insecure:
      '브라우저는 보안 페이지에서만 실시간에 가깝게 재생합니다. 지금은 HLS로 재생하며, https 주소로 열면 더 가까워집니다.',
    browser: '이 브라우저로는 실시간에 가깝게 들을 수 없어 HLS로 재생합니다.',
    files:
      '플레이어의 일부를 불러오지 못해 HLS로 재생합니다. 실시간에 가까운 재생은 자동으로 다시 시도합니다.',
    device:
      '브라우저가 실시간에 가까운 재생을 시작하지 못해 HLS로 재생합니다. 자동으로 다시 시도합니다.',
    slow: '네트워크가 느려 여유를 더 두고 HLS로 재생합니다. 실시간에 가까운 재생은 자동으로 다시 시도합니다.',
    unreachable:
      '서버와의 WebSocket 연결이 막혀 있어 HLS로 재생합니다. 실시간에 가까운 재생은 자동으로 다시 시도합니다.',
    asleep: '화면이 가려진 동안 브라우저가 실시간 재생을 쉬게 하여 HLS로 재생합니다.',
  },
  offAir: (title) =>
    `${title} 채널은 지금 방송하지 않습니다. 듣기를 눌러 두면 방송이 시작되는 대로 들립니다.`,
  offAirListening: (title) =>
    `${title} 채널은 지금 방송하지 않습니다. 이 페이지를 열어 두면 방송이 시작되는 대로 들립니다.`,
  onAirIdle: (title) => `${title} 채널이 방송 중입니다.`,
  stalledIdle: (title) => `${title} 채널이 잠시 멈췄습니다. 듣기를 누르고 기다려 주세요.`,
  connectingSentence: '서버에 연결하고 있습니다.',
  reconnectingSentence: '연결이 끊겨 자동으로 다시 연결하고 있습니다.',
  bufferingSentence: '소리를 모으고 있습니다. 곧 들립니다.',
  stalledSentence: '방송자에게서 신호가 오지 않습니다. 신호가 돌아오면 자동으로 이어집니다.',
  stuckSentence:
    '방송 중이지만 소리가 전달되지 않습니다. 자동으로 다시 시도합니다. 네트워크를 확인해 주세요.',
  endedSentence: '방송이 끝났습니다. 이 페이지를 열어 두면 다음 방송도 들립니다.',
  blockedSentence: '브라우저가 재생을 기다리고 있습니다. 듣기를 누르면 소리가 나옵니다.',
  silence: {
    server: '서버가 응답하지 않습니다. 자동으로 다시 시도합니다. 네트워크를 확인해 주세요.',
    token: '비공개 채널입니다. 운영자에게 청취 링크를 요청해 주세요.',
    channel: '이 이름의 채널이 없습니다. 페이지 주소를 확인해 주세요.',
    taken: '지금은 이 채널의 자리가 모두 찼습니다. 잠시 뒤에 듣기를 다시 눌러 주세요.',
    protocol: '이 페이지가 서버보다 오래되었습니다. 새로 고친 뒤 듣기를 눌러 주세요.',
    deleted: '더 이상 없는 채널입니다.',
  },
  failures: {
    insecure:
      '이 브라우저는 이런 소리를 보안 페이지에서만 재생합니다. https 주소로 이 페이지를 열어 주세요.',
    browser: '브라우저가 오래되어 이 채널을 재생할 수 없습니다. 최신 브라우저를 사용해 주세요.',
    files:
      '플레이어의 일부를 불러오지 못했습니다. 네트워크를 확인한 뒤 듣기를 다시 누르거나 페이지를 새로 고쳐 주세요.',
    device:
      '브라우저가 소리를 시작하지 못했습니다. 스피커나 헤드폰을 확인한 뒤 듣기를 다시 눌러 주세요.',
  },
};
