/** What our tests use of parsers that come without types. */
declare module 'm3u8-parser' {
  type Playlist = {
    readonly dateRanges?: readonly object[];
    readonly playlists?: readonly object[];
    readonly segments?: readonly object[];
  };
  export class Parser {
    readonly manifest: Playlist;
    on(event: 'warn' | 'error', listener: (problem: unknown) => void): void;
    push(text: string): void;
    end(): void;
  }
}

declare module 'mpd-parser' {
  type Manifest = {
    readonly endList: boolean;
    readonly duration: number;
    readonly mediaGroups: { readonly AUDIO: Readonly<Record<string, object>> };
  };
  export const parse: (text: string, options: { manifestUri: string }) => Manifest;
}
