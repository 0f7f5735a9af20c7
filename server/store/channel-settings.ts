/** What a channel's owner can set; the schema validates requests and describes the API. */

/** Who finds and hears a channel. */
export type Visibility = 'public' | 'unlisted' | 'private';

/** Settings of a channel, all with defaults. */
export type ChannelSettings = {
  readonly title: string;
  readonly description: string;
  readonly visibility: Visibility;
  /** BCP 47; empty when unknown. */
  readonly language: string;
  /** Never ends: silence between broadcasts, stable addresses (ARCHITECTURE). */
  readonly continuous: boolean;
  readonly record: boolean;
  /** Days after which recordings are deleted; null: never. */
  readonly retention: number | null;
  /** Makes HLS and DASH also while nobody plays them, so that the first one need not wait. */
  readonly warm: boolean;
};

/** What a channel begins with. */
export const DEFAULT_SETTINGS: Omit<ChannelSettings, 'title'> = {
  description: '',
  visibility: 'public',
  language: '',
  continuous: false,
  record: true,
  retention: null,
  warm: true,
};

/** JSON Schema of the settings, for requests that create or change a channel. */
export const settingsProperties = {
  title: { type: 'string', minLength: 1, maxLength: 200 },
  description: { type: 'string', maxLength: 5000 },
  visibility: { enum: ['public', 'unlisted', 'private'] },
  language: { type: 'string', maxLength: 35, pattern: '^([A-Za-z0-9-]*)$' },
  continuous: { type: 'boolean' },
  record: { type: 'boolean' },
  retention: { type: ['integer', 'null'], minimum: 1, maximum: 36_500 },
  warm: { type: 'boolean' },
} as const;

/** JSON Schema of a channel's name in addresses. */
export const slugSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
} as const;
