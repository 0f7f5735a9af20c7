import { describe, expect, it } from 'vitest';
import { manifest } from '../../../server/packager/dash.ts';
import { periodsOf } from '../../../server/packager/dash-periods.ts';
import { manifestViewOf } from '../../helpers/channel-manifest.ts';
import { GRID, GrowingWindow } from '../../helpers/channel-window.ts';
import { lintDash, lintDashReloads } from '../../helpers/dash-linter.ts';

describe('the linter of manifests', () => {
  const window = new GrowingWindow({ length: 6 });
  window.growBy(4);
  window.cut(1000);
  window.growBy(1);
  const good = manifest(manifestViewOf(window, periodsOf([], window.segments, GRID)));

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
    ['template', 'timescale="48000"', 'timescale="0"'],
    ['offset', 'availabilityTimeOffset="', 'availabilityTimeOffset="-'],
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

  it.each([
    ['changed', /availabilityStartTime="2026/, 'availabilityStartTime="2025'],
    ['changed', 'start="PT0S"', 'start="PT1S"'],
    ['changed', 'startNumber="100"', 'startNumber="99"'],
    ['published', /publishTime="2026/, 'publishTime="2025'],
  ])('objects by %s when %s becomes %j in a reload', (rule, from, to) => {
    const findings = lintDashReloads([good, good.replace(from, to)]);
    expect(findings.map((finding) => finding.rule)).toContain(rule);
  });
});
