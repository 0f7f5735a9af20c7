/** Transport packets (ISO/IEC 13818-1 section 2.4.3): 188 bytes with header, stuffing and clock. */

/** Length of a transport packet, bytes. */
export const TRANSPORT_PACKET_BYTES = 188;

/** Where a packet belongs and the value of that stream's counter; its low four bits count. */
export type StreamPosition = { readonly pid: number; readonly counter: number };

const SYNC = 0x47;
const HEADER_BYTES = 4;
const PAYLOAD_BYTES = TRANSPORT_PACKET_BYTES - HEADER_BYTES;
/** An adaptation field with a clock reference: length, flags, reference. */
const CLOCK_BYTES = 8;
const STUFFING = 0xff;
/** Bits of the header's second and fourth byte, and of the adaptation field's flags. */
const UNIT_START = 0x40;
const ADAPTATION = 0x20;
const PAYLOAD = 0x10;
const RANDOM_ACCESS = 0x40;
const CLOCK = 0x10;

const writeHeader = (
  packet: Buffer,
  { pid, counter }: StreamPosition,
  { start, adaptation }: { readonly start: boolean; readonly adaptation: boolean },
): void => {
  packet[0] = SYNC;
  packet[1] = (start ? UNIT_START : 0) | (pid >> 8);
  packet[2] = pid & 0xff;
  packet[3] = (adaptation ? ADAPTATION : 0) | PAYLOAD | (counter & 15);
};

/** 33 bits of reference at 90 kHz, 6 reserved bits, and 9 bits at 27 MHz that stay 0. */
const writeClock = (field: Buffer, reference: number): void => {
  field.writeUInt32BE(Math.floor(reference / 2), 2);
  field.writeUInt16BE(((reference & 1) << 15) | 0x7e00, 6);
};

/** The adaptation field that fills `field`; one of a single byte is its length only. */
const writeAdaptation = (
  field: Buffer,
  { start, clock }: { readonly start: boolean; readonly clock: number | undefined },
): void => {
  field.fill(STUFFING);
  field[0] = field.length - 1;
  if (field.length === 1) return;
  field[1] = clock === undefined ? 0 : CLOCK | (start ? RANDOM_ACCESS : 0);
  if (clock !== undefined) writeClock(field, clock);
};

/** A table in one packet of its own, into which ours fit by far. */
export const tablePacket = (section: Buffer, position: StreamPosition): Buffer => {
  const packet = Buffer.alloc(TRANSPORT_PACKET_BYTES, STUFFING);
  writeHeader(packet, position, { start: true, adaptation: false });
  packet.set(section, HEADER_BYTES);
  return packet;
};

/**
 * Cuts a PES packet into transport packets and spreads clock references over them, the first of
 * which marks a place to begin; what the last packet lacks is stuffed. A PES packet that fits into
 * fewer packets than it has references carries the first of these.
 */
export const pesPackets = (
  pes: Buffer,
  clocks: readonly number[],
  { pid, counter }: StreamPosition,
): Buffer => {
  const clockCount = Math.min(clocks.length, Math.ceil(pes.length / PAYLOAD_BYTES));
  const count = Math.ceil((pes.length + clockCount * CLOCK_BYTES) / PAYLOAD_BYTES);
  const packets = Buffer.allocUnsafe(count * TRANSPORT_PACKET_BYTES);
  let sent = 0;
  let clocksSent = 0;
  for (let index = 0; index < count; index += 1) {
    const from = index * TRANSPORT_PACKET_BYTES;
    const packet = packets.subarray(from, from + TRANSPORT_PACKET_BYTES);
    const start = index === 0;
    const due = clocksSent < clockCount && index >= Math.floor((clocksSent * count) / clockCount);
    const clock = due ? clocks[clocksSent] : undefined;
    if (due) clocksSent += 1;
    const taken = Math.min(PAYLOAD_BYTES - (due ? CLOCK_BYTES : 0), pes.length - sent);
    const adaptationBytes = PAYLOAD_BYTES - taken;
    writeHeader(
      packet,
      { pid, counter: counter + index },
      { start, adaptation: adaptationBytes > 0 },
    );
    if (adaptationBytes > 0)
      writeAdaptation(packet.subarray(HEADER_BYTES, HEADER_BYTES + adaptationBytes), {
        start,
        clock,
      });
    packet.set(pes.subarray(sent, sent + taken), HEADER_BYTES + adaptationBytes);
    sent += taken;
  }
  return packets;
};
