import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkpoint, checkSignature, climb, fromHex } from './merkle';

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafOf = (n: number) => sha(Buffer.from([0]), Buffer.from(`entry ${n}`));
const nodeOf = (a: Buffer, b: Buffer) => sha(Buffer.from([1]), a, b);
const split = (n: number) => 2 ** Math.floor(Math.log2(n - 1));

function rootOf(leaves: Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  const k = split(leaves.length);
  return nodeOf(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

function pathOf(index: number, leaves: Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k ? [...pathOf(index, leaves.slice(0, k)), rootOf(leaves.slice(k))] : [...pathOf(index - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

function proofOf(index: number, size: number) {
  const leaves = Array.from({ length: size }, (_, n) => leafOf(n));
  const path = pathOf(index, leaves).map((hash) => hash.toString('hex'));
  return { proof: { index, size, leaf_hash: leafOf(index).toString('hex'), path }, root: rootOf(leaves).toString('hex') };
}

/** Roots of the empty-input tree of RFC 6962's reference data, kept by RFC 9162's hashing. */
const REFERENCE = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const REFERENCE_ROOT = '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328';

describe('climb', () => {
  it('accepts every entry of every tree up to 40 entries', async () => {
    for (let size = 1; size <= 40; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const { proof, root } = proofOf(index, size);
        expect(await climb(proof, root)).toMatchObject({ ok: true, computed: root, fault: 'none' });
      }
    }
  });

  it('reaches the reference root of Certificate Transparency', async () => {
    const leaves = REFERENCE.map((hex) => sha(Buffer.from([0]), Buffer.from(hex, 'hex')));
    for (let index = 0; index < leaves.length; index += 1) {
      const proof = { index, size: 8, leaf_hash: leaves[index]?.toString('hex') ?? '', path: pathOf(index, leaves).map((hash) => hash.toString('hex')) };
      expect((await climb(proof, REFERENCE_ROOT)).ok).toBe(true);
    }
  });

  it('refuses another root, another place, a changed hash, a path too short or too long', async () => {
    const { proof, root } = proofOf(5, 13);
    expect(await climb(proof, '00'.repeat(32))).toMatchObject({ ok: false, fault: 'root' });
    expect((await climb({ ...proof, index: 6 }, root)).ok).toBe(false);
    const changed = proof.path.map((hash, at) => (at === 1 ? `${hash.startsWith('0') ? '1' : '0'}${hash.slice(1)}` : hash));
    expect(await climb({ ...proof, path: changed }, root)).toMatchObject({ ok: false, fault: 'root' });
    expect(await climb({ ...proof, path: proof.path.slice(1) }, root)).toMatchObject({ ok: false, fault: 'shape' });
    expect(await climb({ ...proof, path: [...proof.path, root] }, root)).toMatchObject({ ok: false, fault: 'shape' });
    expect(await climb({ ...proof, index: 13 }, root)).toMatchObject({ ok: false, fault: 'shape' });
  });

  it('works past 32 bits of index', async () => {
    const leaf = leafOf(1).toString('hex');
    const sibling = leafOf(2).toString('hex');
    // The last entry of a tree of 2^40 + 1 entries has one rung: the root of all entries before it.
    const root = nodeOf(Buffer.from(sibling, 'hex'), Buffer.from(leaf, 'hex')).toString('hex');
    expect((await climb({ index: 2 ** 40, size: 2 ** 40 + 1, leaf_hash: leaf, path: [sibling] }, root)).ok).toBe(true);
  });

  it('does not take what is no hexadecimal', () => {
    expect(() => fromHex('abc')).toThrow();
    expect(() => fromHex('zz')).toThrow();
  });
});

describe('checkSignature', () => {
  const key = generateKeyPairSync('ed25519');
  const raw = Buffer.from(key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
  const head = { origin: 'sereno/01935a10-0000-7000-8000-000000000001', size: 17, root: 'ab'.repeat(32), signed_at: '2026-11-22T21:00:00.000000Z', key: raw, signature: '' };
  const signed = { ...head, signature: sign(null, Buffer.from(checkpoint(head)), key.privateKey).toString('hex') };

  it('accepts the signed text and nothing else', async () => {
    expect(await checkSignature(signed)).toBe('valid');
    for (const changed of [{ size: 18 }, { root: 'ac'.repeat(32) }, { origin: 'sereno/other' }, { signed_at: '2026-11-22T21:00:00.000001Z' }, { signature: '00'.repeat(64) }]) {
      expect(await checkSignature({ ...signed, ...changed })).toBe('invalid');
    }
  });

  it('says so when it cannot check', async () => {
    expect(await checkSignature({ ...signed, origin: '' })).toBe('unsupported');
  });
});
