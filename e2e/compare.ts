import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Page } from 'playwright-core';
import { root } from './server';

const golden = path.join(root, 'e2e', 'golden');
/** Pictures that the documentation shows are kept there, and are checked like the others. */
const documented = path.join(root, 'docs', 'img');
const failed = path.join(root, 'test-results', 'screenshots');

/** How much of two pictures may differ: letters are smoothed a little differently by each version of the browser. */
const tolerance = 0.02;

/**
 * Compares what a page shows with the picture that is kept of it. UPDATE_GOLDEN=1 keeps the new one instead.
 *
 * @returns the share of the picture that differs, and what is tolerated of it
 */
export async function compare(page: Page, name: string): Promise<{ differs: number; tolerance: number }> {
  const inDocs = path.join(documented, `${name}.jpeg`);
  const file = existsSync(inDocs) ? inDocs : path.join(golden, `${name}.jpeg`);
  const taken = await page.screenshot({ type: 'jpeg', quality: 72 });
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, taken);
    return { differs: 0, tolerance };
  }
  if (!existsSync(file)) {
    throw new Error(`there is no picture ${name} to compare with; UPDATE_GOLDEN=1 takes it`);
  }
  const differs = await page.evaluate(
    difference,
    [readFileSync(file), taken].map((image) => image.toString('base64'))
  );
  if (differs > tolerance) {
    mkdirSync(failed, { recursive: true });
    writeFileSync(path.join(failed, `${name}.jpeg`), taken);
  }
  return { differs, tolerance };
}

/** Runs in the browser, which can read pictures: the share of small blocks whose mean colours are not alike. */
async function difference(images: string[]): Promise<number> {
  const block = 8;
  const alike = 24;
  const read = async (image: string) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/jpeg;base64,${image}`)).blob());
    const { width, height } = bitmap;
    const canvas = new OffscreenCanvas(Math.ceil(width / block), Math.ceil(height / block));
    const context = canvas.getContext('2d')!;
    // Drawn small, each pixel is the mean of a block.
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return { width, height, pixels: context.getImageData(0, 0, canvas.width, canvas.height).data };
  };
  const [a, b] = await Promise.all(images.map(read));
  if (!a || !b || a.width !== b.width || a.height !== b.height) {
    return 1;
  }
  let different = 0;
  for (let at = 0; at < a.pixels.length; at += 4) {
    const apart = [0, 1, 2].map((channel) => Math.abs(a.pixels[at + channel]! - b.pixels[at + channel]!));
    different += Number(Math.max(...apart) > alike);
  }
  return different / (a.pixels.length / 4);
}
