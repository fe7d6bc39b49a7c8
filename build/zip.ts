/**
 * A zip archive of a few small files, the same bytes for the same contents: a deployment of unchanged code changes nothing.
 *
 * Limit: no zip64, no folders, no dates (all are 1980-01-01); enough for a Lambda's code.
 */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  readonly name: string;
  readonly data: Buffer;
}

const dosDate = 0x0021;
const readableByAll = 0o100644 * 0x10000;

export function zip(files: readonly ZipFile[]): Buffer {
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const { name, data } of files) {
    const packed = deflateRawSync(data, { level: 9 });
    const common = commonFields(crc32(data), packed.length, data.length, Buffer.byteLength(name));
    const local = Buffer.concat([signature(0x04034b50), common, Buffer.from(name), packed]);
    bodies.push(local);
    entries.push(Buffer.concat([directoryEntry(common, offset), Buffer.from(name)]));
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  return Buffer.concat([...bodies, directory, endOfDirectory(files.length, directory.length, offset)]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

// Version needed, flags, method, time, date, CRC, both sizes, name length, extra length: alike in both headers.
function commonFields(crc: number, packed: number, plain: number, nameLength: number): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.writeUInt16LE(20, 0);
  bytes.writeUInt16LE(0x0800, 2);
  bytes.writeUInt16LE(8, 4);
  bytes.writeUInt16LE(dosDate, 8);
  bytes.writeUInt32LE(crc, 10);
  bytes.writeUInt32LE(packed, 14);
  bytes.writeUInt32LE(plain, 18);
  bytes.writeUInt16LE(nameLength, 22);
  return bytes;
}

function directoryEntry(common: Buffer, offset: number): Buffer {
  const madeByUnix = Buffer.from([20, 3]);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(readableByAll, 6);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([signature(0x02014b50), madeByUnix, common, tail]);
}

function endOfDirectory(count: number, size: number, offset: number): Buffer {
  const bytes = Buffer.alloc(22);
  bytes.writeUInt32LE(0x06054b50, 0);
  bytes.writeUInt16LE(count, 8);
  bytes.writeUInt16LE(count, 10);
  bytes.writeUInt32LE(size, 12);
  bytes.writeUInt32LE(offset, 16);
  return bytes;
}
