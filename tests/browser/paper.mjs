// Small PNGs of screens: at most 256 colours, by their frequency, and as tight as zlib packs them.

import { deflateSync } from "node:zlib";

/** Colours of one picture, at most: what one byte tells apart. */
const COLOURS_MAX = 256;

/** A PNG with a palette, of a PNG without one; `page` decodes it. */
export async function paper(page, png) {
  const { width, height, base64 } = await page.evaluate(async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, image.width, image.height);
    let text = "";
    for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
    return { width: image.width, height: image.height, base64: btoa(text) };
  }, `data:image/png;base64,${png.toString("base64")}`);
  const { palette, places } = counted(Buffer.from(base64, "base64"));
  const lines = Buffer.alloc(height * (width + 1)); // each line begins with its filter, none
  for (let line = 0; line < height; line += 1) {
    places.copy(lines, line * (width + 1) + 1, line * width, (line + 1) * width);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8); // eight bits, of a palette
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("PLTE", palette),
    chunk("IDAT", deflateSync(lines, { level: 9 })), chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The colours that occur most, and the nearest of them for each pixel. */
function counted(pixels) {
  const counts = new Map();
  const colourAt = (at) => (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
  for (let at = 0; at < pixels.length; at += 4) counts.set(colourAt(at), (counts.get(colourAt(at)) ?? 0) + 1);
  const chosen = [...counts].sort((one, other) => other[1] - one[1]).slice(0, COLOURS_MAX).map(([colour]) => colour);
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const nearest = new Map();
  for (const colour of counts.keys()) {
    const apart = (other) => parts(colour).reduce((sum, part, which) => sum + (part - parts(other)[which]) ** 2, 0);
    let best = 0;
    for (let place = 1; place < chosen.length; place += 1) if (apart(chosen[place]) < apart(chosen[best])) best = place;
    nearest.set(colour, best);
  }
  const places = Buffer.alloc(pixels.length / 4);
  for (let at = 0; at < pixels.length; at += 4) places[at / 4] = nearest.get(colourAt(at));
  return { palette: Buffer.from(chosen.flatMap(parts)), places };
}

/** As PNG has it (ISO 3309). */
function crc32(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
