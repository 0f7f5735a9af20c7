/** hls.js without captions, DRM and the like, which audio has no use for; its types are the whole one's. */
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
