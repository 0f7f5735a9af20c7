import fc from 'fast-check';
import { parse as parseMpd } from 'mpd-parser';
import { describe, expect, it } from 'vitest';
import { manifest } from '../../../server/packager/dash.ts';
import { type Period, periodsOf } from '../../../server/packager/dash-periods.ts';
import { mediaPart } from '../../../server/packager/fmp4.ts';
import type { TimedMetadata } from '../../../server/packager/track.ts';
import { samples, samplesToMillis, utc } from '../../../shared/time.ts';
import { manifestViewOf } from '../../helpers/channel-manifest.ts';
import { GRID, GrowingWindow, START, titleAt } from '../../helpers/channel-window.ts';
import { addressedBy, lintDash, lintDashReloads } from '../../helpers/dash-linter.ts';
import { attributeOf, childrenOf, parseXml } from '../../helpers/xml-tree.ts';

const SEED = 20_260_104;
const SEGMENT = samplesToMillis(GRID.segment);
const PART = samplesToMillis(GRID.part);
const LATE = { segment: 0, late: 700, early: -700 };
/** When the second stretch of two segments was whole, 20 s after the first one's 11.84 s. */
const LATER = utc(START + 11_840 + 20_000 + 2 * SEGMENT);

/** What mpd-parser makes of a manifest that our own judge has nothing against. */
const accepted = (text: string) => {
  expect(lintDash(text)).toEqual([]);
  return parseMpd(text, { manifestUri: 'http://station.test/c/live/dash/manifest.mpd' });
};

/** Two stretches, in which these titles were told. */
const withTitles = (titles: readonly TimedMetadata[]) => {
  const window = new GrowingWindow({ length: 9 });
  window.growBy(4);
  window.cut(1000);
  window.growBy(3);
  const periods = periodsOf([], window.segments, GRID);
  return { text: manifest(manifestViewOf(window, periods, { titles })), periods };
};

/** Period, beginning within it and duration in seconds, and words of each title. */
const eventsIn = (text: string) =>
  childrenOf(parseXml(text), 'Period').flatMap((period) =>
    childrenOf(period, 'EventStream').flatMap((stream) =>
      childrenOf(stream, 'Event').map((event) => {
        const seconds = (name: string): number =>
          Number(attributeOf(event, name)) / Number(attributeOf(stream, 'timescale'));
        const offset = Number(attributeOf(stream, 'presentationTimeOffset')) / 48_000;
        const begin = Number((seconds('presentationTime') - offset).toFixed(6));
        return [attributeOf(period, 'id'), begin, seconds('duration'), JSON.parse(event.text)];
      }),
    ),
  );

describe('a manifest', () => {
  it('reads like this', () => {
    const window = new GrowingWindow({ length: 6 });
    window.growBy(3);
    window.grow();
    window.cut(2000);
    window.growBy(1);
    window.grow();
    const text = manifest(manifestViewOf(window, periodsOf([], window.segments, GRID)));
    expect(text).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,http://www.dashif.org/guidelines/low-latency-live-v5" availabilityStartTime="2026-01-02T03:04:05.678Z" publishTime="2026-01-02T03:04:25.198Z" minBufferTime="PT0.64S" maxSegmentDuration="PT3.84S" type="dynamic" minimumUpdatePeriod="PT0.96S" timeShiftBufferDepth="PT60S" suggestedPresentationDelay="PT9.6S">
        <ProgramInformation>
          <Title>Channel &lt;1&gt; &amp; &quot;more&quot;</Title>
        </ProgramInformation>
        <ServiceDescription id="0">
          <Latency referenceId="1" target="1920" max="5760"/>
          <PlaybackRate min="1" max="1"/>
        </ServiceDescription>
        <Period id="p100" start="PT0S" duration="PT11.84S">
          <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
            <InbandEventStream schemeIdUri="https://aomedia.org/emsg/ID3"/>
            <ProducerReferenceTime id="1" type="encoder" wallClockTime="2026-01-02T03:04:05.678Z" presentationTime="18432000">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <ProducerReferenceTime id="11" type="captured" wallClockTime="2026-01-02T03:04:05.678Z" presentationTime="18432000">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
            <SegmentTemplate timescale="48000" presentationTimeOffset="18432000" startNumber="100" initialization="../media/k3y/$RepresentationID$/init.mp4" media="../media/k3y/$RepresentationID$/$Number$.m4s">
              <SegmentTimeline>
                <S t="18432000" d="184320" r="2"/>
                <S t="18984960" d="15360"/>
              </SegmentTimeline>
            </SegmentTemplate>
            <Representation id="aac128" bandwidth="128000" codecs="mp4a.40.2" audioSamplingRate="48000">
              <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
            </Representation>
            <Representation id="aac64" bandwidth="128000" codecs="mp4a.40.2" audioSamplingRate="48000">
              <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
            </Representation>
          </AdaptationSet>
          <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
            <InbandEventStream schemeIdUri="https://aomedia.org/emsg/ID3"/>
            <ProducerReferenceTime id="2" type="encoder" wallClockTime="2026-01-02T03:04:05.678Z" presentationTime="18432000">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <ProducerReferenceTime id="12" type="captured" wallClockTime="2026-01-02T03:04:05.678Z" presentationTime="18432000">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>
            <SegmentTemplate timescale="48000" presentationTimeOffset="18432000" startNumber="100" initialization="../media/k3y/$RepresentationID$/init.mp4" media="../media/k3y/$RepresentationID$/$Number$.m4s">
              <SegmentTimeline>
                <S t="18432000" d="184320" r="2"/>
                <S t="18984960" d="15360"/>
              </SegmentTimeline>
            </SegmentTemplate>
            <Representation id="opus" bandwidth="128000" codecs="opus" audioSamplingRate="48000">
              <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
            </Representation>
          </AdaptationSet>
        </Period>
        <Period id="p104" start="PT13.84000015258789S">
          <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
            <SupplementalProperty schemeIdUri="urn:mpeg:dash:period-connectivity:2015" value="p100"/>
            <InbandEventStream schemeIdUri="https://aomedia.org/emsg/ID3"/>
            <ProducerReferenceTime id="1" type="encoder" wallClockTime="2026-01-02T03:04:19.518Z" presentationTime="19169280">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <ProducerReferenceTime id="11" type="captured" wallClockTime="2026-01-02T03:04:19.518Z" presentationTime="19169280">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
            <SegmentTemplate timescale="48000" presentationTimeOffset="19169280" startNumber="104" initialization="../media/k3y/$RepresentationID$/init.mp4" media="../media/k3y/$RepresentationID$/$Number$.m4s" availabilityTimeOffset="3.52" availabilityTimeComplete="false">
              <SegmentTimeline>
                <S t="19169280" d="184320" r="1"/>
              </SegmentTimeline>
            </SegmentTemplate>
            <Representation id="aac128" bandwidth="128000" codecs="mp4a.40.2" audioSamplingRate="48000">
              <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
            </Representation>
            <Representation id="aac64" bandwidth="128000" codecs="mp4a.40.2" audioSamplingRate="48000">
              <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
            </Representation>
          </AdaptationSet>
          <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
            <SupplementalProperty schemeIdUri="urn:mpeg:dash:period-connectivity:2015" value="p100"/>
            <InbandEventStream schemeIdUri="https://aomedia.org/emsg/ID3"/>
            <ProducerReferenceTime id="2" type="encoder" wallClockTime="2026-01-02T03:04:19.518Z" presentationTime="19169280">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <ProducerReferenceTime id="12" type="captured" wallClockTime="2026-01-02T03:04:19.518Z" presentationTime="19169280">
              <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
            </ProducerReferenceTime>
            <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>
            <SegmentTemplate timescale="48000" presentationTimeOffset="19169280" startNumber="104" initialization="../media/k3y/$RepresentationID$/init.mp4" media="../media/k3y/$RepresentationID$/$Number$.m4s" availabilityTimeOffset="3.52" availabilityTimeComplete="false">
              <SegmentTimeline>
                <S t="19169280" d="184320" r="1"/>
              </SegmentTimeline>
            </SegmentTemplate>
            <Representation id="opus" bandwidth="128000" codecs="opus" audioSamplingRate="48000">
              <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
            </Representation>
          </AdaptationSet>
        </Period>
        <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="/api/v1/time"/>
        <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/api/v1/time"/>
      </MPD>
      "
    `);
    const parsed = accepted(text);
    const aac = parsed.mediaGroups.AUDIO?.audio ?? {};
    expect(JSON.stringify(aac)).toContain('http://station.test/c/live/media/k3y/aac128/105.m4s');
    expect(JSON.stringify(aac)).toContain('"endList":false');
  });

  it('counted by numbers lists nothing, and ends a Period where its sound ends', () => {
    const window = new GrowingWindow({ length: 6 });
    window.growBy(3);
    window.grow();
    window.cut(20_000);
    window.growBy(2);
    const periods = periodsOf([], window.segments, GRID);
    const text = manifest(
      manifestViewOf(window, periods, { addressing: 'number', published: LATER }),
    );
    expect(text).not.toContain('SegmentTimeline');
    expect(text).toContain('<Period id="p100" start="PT0S" duration="PT11.84S">');
    const aac = addressedBy(parseXml(text)).filter(({ set }) => set === '1');
    expect(aac.map(({ period, number }) => `${period} ${number}`)).toEqual([
      'p100 100',
      'p100 101',
      'p100 102',
      'p100 103',
      'p104 104',
      'p104 105',
    ]);
    accepted(text);
  });

  it('is static once the channel has ended, as long as what there was', () => {
    const window = new GrowingWindow();
    window.growBy(6);
    window.grow();
    window.end();
    const text = manifest(manifestViewOf(window, periodsOf([], window.segments, GRID)));
    expect(text).toContain('type="static"');
    expect(text).toContain('mediaPresentationDuration="PT23.36S"');
    expect(text).not.toMatch(/minimumUpdatePeriod|availabilityTimeOffset|UTCTiming/);
    expect(accepted(text)).toMatchObject({ endList: true, duration: 23.36 });
  });

  it('begins a Period with each stretch, and drops those that the window has left', () => {
    const window = new GrowingWindow({ length: 6 });
    let periods: readonly Period[] = [];
    const texts: string[] = [];
    for (let stretch = 0; stretch < 4; stretch += 1) {
      for (let part = 0; part < 40; part += 1) {
        window.grow();
        periods = periodsOf(periods, window.segments, GRID);
        texts.push(manifest(manifestViewOf(window, periods)));
      }
      window.cut(1700);
    }
    expect(lintDashReloads(texts)).toEqual([]);
    const ids = childrenOf(parseXml(texts.at(-1) ?? ''), 'Period').map((p) => attributeOf(p, 'id'));
    expect(ids).toEqual(['p108', 'p112']);
    expect(periods.at(-1)?.utc).toBe(START + 3 * (40 * PART + 1700));
  });

  it.each(['number', 'timeline'] as const)(
    'tells by %s only what there is once the channel has ended, wherever its Period began',
    (addressing) => {
      const window = new GrowingWindow({ length: 6 });
      let periods: readonly Period[] = [];
      for (let count = 0; count < 20; count += 1) {
        window.growBy(1);
        periods = periodsOf(periods, window.segments, GRID);
      }
      const before = manifest(manifestViewOf(window, periods, { addressing }));
      const live = addressedBy(parseXml(before));
      window.end();
      const text = manifest(manifestViewOf(window, periods, { addressing }));
      const aac = addressedBy(parseXml(text)).filter(({ set }) => set === '1');
      expect(aac.map(({ number }) => number)).toEqual([114, 115, 116, 117, 118, 119]);
      // A player that is in the midst of it goes on where it is.
      for (const { number, presented } of aac.slice(1, -1))
        expect(live.find((one) => one.number === number)?.presented).toBeCloseTo(presented, 3);
      expect(lintDashReloads([before, text])).toEqual([]);
      accepted(text);
    },
  );

  it('announces the tags in the media by the scheme that they have', () => {
    const { text } = withTitles([]);
    const sets = childrenOf(childrenOf(parseXml(text), 'Period')[0], 'AdaptationSet');
    const [event] = sets.map((set) => childrenOf(set, 'InbandEventStream')[0]);
    const scheme = attributeOf(event, 'schemeIdUri');
    const unit = { at: samples(0), duration: samples(1024), bytes: Buffer.alloc(9) };
    const metadata = [titleAt(samples(0), 'Air')];
    expect(mediaPart({ sequence: 0, units: [unit], metadata }).includes(`${scheme}\0`)).toBe(true);
    expect(sets).toHaveLength(2);
    expect(text).not.toContain('<EventStream');
  });

  it('tells each title at its sample, and in each Period the one that still holds', () => {
    const at = (segments: number) => samples(segments * GRID.segment);
    const nasty = 'A & B </Event> "<x>" ]]> \u0007';
    const { text, periods } = withTitles([
      titleAt(at(90), 'Long gone'),
      titleAt(at(98), 'Before', 'Anna'),
      titleAt(samples(at(101) + 4800), 'Corrected'),
      titleAt(samples(at(101) + 4800), nasty),
      titleAt(at(105), 'Last'),
    ]);
    expect(eventsIn(text)).toEqual([
      ['p100', 0, 3.94, { title: 'Before', artist: 'Anna' }],
      ['p100', 3.94, 11.42, { title: nasty }],
      ['p104', 0, 3.84, { title: nasty }],
      ['p104', 3.84, 86_400, { title: 'Last' }],
    ]);
    expect(periods.map(({ sequence }) => sequence)).toEqual([100, 104]);
    accepted(text);
  });

  it('takes any title, and keeps what a manifest must keep over any course', () => {
    const step = fc.constantFrom('part', 'part', 'cut', 'segment', 'late', 'early');
    const course = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(course, fc.string({ unit: 'binary' }), (steps, title) => {
        const window = new GrowingWindow({ length: 8 });
        window.grow();
        let periods: readonly Period[] = [];
        const texts = steps.map((kind) => {
          if (kind === 'cut') window.cut(400);
          else if (kind === 'part') window.grow();
          else window.growBy(1, { late: LATE[kind] });
          periods = periodsOf(periods, window.segments, GRID);
          return manifest(manifestViewOf(window, periods, { title }));
        });
        expect(lintDashReloads(texts)).toEqual([]);
        parseMpd(texts.at(-1) ?? '', { manifestUri: 'http://station.test/' });
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});
