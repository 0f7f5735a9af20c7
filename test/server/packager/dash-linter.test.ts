import { describe, expect, it } from 'vitest';
import { manifest } from '../../../server/packager/dash.ts';
import { periodsOf } from '../../../server/packager/dash-periods.ts';
import { samples, utc } from '../../../shared/time.ts';
import { manifestViewOf } from '../../helpers/channel-manifest.ts';
import { GRID, GrowingWindow, titleAt } from '../../helpers/channel-window.ts';
import { lintDash, lintDashReloads } from '../../helpers/dash-linter.ts';

describe('the linter of manifests', () => {
  const window = new GrowingWindow({ length: 6 });
  window.growBy(4);
  window.cut(1000);
  window.growBy(1);
  const periods = periodsOf([], window.segments, GRID);
  const titles = [titleAt(samples(100 * GRID.segment), 'Air')];
  const good = manifest(manifestViewOf(window, periods, { titles }));

  it.each([
    ['well-formed', '</MPD>', ''],
    ['well-formed', '&amp;', '&'],
    ['well-formed', 'id="p100"', 'id="p100" id="p100"'],
    ['root', / publishTime="[^"]*"/, ''],
    ['root', / minimumUpdatePeriod="[^"]*"/, ''],
    ['static', 'type="dynamic"', 'type="static"'],
    ['duration', 'timeShiftBufferDepth="PT60S"', 'timeShiftBufferDepth="60"'],
    ['clock', /<UTCTiming.*\n/g, ''],
    ['reference', 'referenceId="1"', 'referenceId="7"'],
    ['period', 'id="p104"', 'id="p100"'],
    ['period', 'start="PT0S"', 'start="PT900S"'],
    ['period', /<AdaptationSet[\s\S]*?<\/Period>/, '</Period>'],
    ['template', '$Number$', '1'],
    ['template', '$RepresentationID$/$', 'aac128/$'],
    ['template', '$RepresentationID$/init', 'aac128/init'],
    ['template', 'Template timescale="48000"', 'Template timescale="0"'],
    ['offset', 'availabilityTimeOffset="', 'availabilityTimeOffset="-'],
    ['offset', ' startNumber=', ' availabilityTimeOffset="3" startNumber='],
    ['representation', 'id="aac64"', 'id="aac128"'],
    ['representation', /bandwidth="\d+"/, 'bandwidth="0"'],
    ['representation', 'mp4a.40.2', 'mp4a.40.34'],
    ['representation', /<Representation[\s\S]*?<\/AdaptationSet>/, '</AdaptationSet>'],
    ['timeline', /d="184320"/, 'd="0"'],
    ['timeline', /<S t="(\d+)" d="184320" r="3"\/>/, '<S t="$1" d="184320"/><S t="1" d="184320"/>'],
  ])('objects by %s when %s becomes %j', (rule, from, to) => {
    expect(lintDash(good)).toEqual([]);
    const broken = good.replace(from, to);
    expect(broken).not.toBe(good);
    expect(lintDash(broken).map((finding) => finding.rule)).toContain(rule);
  });

  it('objects to segments that cannot be counted without rounding', () => {
    const counted = manifest(manifestViewOf(window, periods, { addressing: 'number' }));
    const inSamples = counted.replace(
      / timescale="1048576" duration="\d+"/g,
      ' timescale="48000" duration="184320"',
    );
    expect(inSamples).not.toBe(counted);
    expect(lintDash(counted)).toEqual([]);
    expect(lintDash(inSamples).map(({ rule }) => rule)).toContain('counting');
    // Of a continuous channel, whose Periods are counted from 1970 on, at no whole millisecond.
    const late = periods.map((period) => ({ ...period, utc: utc(period.utc + 0.37) }));
    const view = manifestViewOf(window, late, { addressing: 'number', availabilityStart: utc(0) });
    expect(lintDash(manifest(view))).toEqual([]);
  });

  it.each([
    ['changed', /availabilityStartTime="2026/, 'availabilityStartTime="2025'],
    ['changed', 'start="PT0S"', 'start="PT1S"'],
    ['changed', 'startNumber="100"', 'startNumber="99"'],
    ['changed', '"18432000" startNumber', '"18432480" startNumber'],
    ['changed', 'startNumber="104"', 'startNumber="103"'],
    ['changed', 'duration="PT15.36S"', 'duration="PT15.3S"'],
    ['changed', ' duration="PT15.36S"', ''],
    ['changed', '<MPD ', '<MPD id="other" '],
    ['changed', '&quot;Air&quot;', '&quot;Sea&quot;'],
    ['published', /publishTime="2026/, 'publishTime="2025'],
  ])('objects by %s when %s becomes %j in a reload', (rule, from, to) => {
    const broken = good.replace(from, to);
    expect(broken).not.toBe(good);
    expect(lintDashReloads([good, good])).toEqual([]);
    const findings = lintDashReloads([good, broken]);
    expect(findings.map((finding) => finding.rule)).toContain(rule);
  });

  it('objects to a manifest that goes on after its end, not to the end', () => {
    const over = manifest(manifestViewOf({ segments: window.segments, ended: true }, periods));
    expect(lintDashReloads([good, over])).toEqual([]);
    expect(lintDashReloads([good, over, good]).map(({ rule }) => rule)).toContain('static');
  });
});
