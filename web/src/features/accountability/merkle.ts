// Inclusion proofs, checked in the browser: RFC 9162 §2.1.1 (hashing) and §2.1.3.2 (verification).
// The node's word is not trusted here: the root is computed from the leaf, hash by hash.

const NODE_PREFIX = 0x01;
/** A tree of 2^63 leaves has paths no longer than this. */
const MAX_PATH = 63;

export interface Rung {
  /** The hash joined on this rung. */
  sibling: string;
  /** On which side of ours it stands. */
  side: 'left' | 'right';
  /** What the two make together. */
  result: string;
}

export interface ProofCheck {
  ok: boolean;
  computed: string;
  rungs: Rung[];
  /** Why not, when not. */
  fault: 'none' | 'shape' | 'root';
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) throw new Error('not hexadecimal');
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function joined(left: string, right: string): Promise<string> {
  const [a, b] = [fromHex(left), fromHex(right)];
  const bytes = new Uint8Array(1 + a.length + b.length);
  bytes[0] = NODE_PREFIX;
  bytes.set(a, 1);
  bytes.set(b, 1 + a.length);
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

interface Proof {
  index: number;
  size: number;
  leaf_hash: string;
  path: string[];
}

/** Climbs from the leaf to the root and compares with `root`. */
export async function climb(proof: Proof, root: string): Promise<ProofCheck> {
  const rungs: Rung[] = [];
  const broken = (): ProofCheck => ({ ok: false, computed: '', rungs, fault: 'shape' });
  const whole = Number.isSafeInteger(proof.index) && Number.isSafeInteger(proof.size);
  if (!whole || proof.index < 0 || proof.index >= proof.size || proof.path.length > MAX_PATH) return broken();
  // BigInt, because the shifts of numbers stop at 32 bits.
  let fn = BigInt(proof.index);
  let sn = BigInt(proof.size - 1);
  let hash = proof.leaf_hash.toLowerCase();
  for (const sibling of proof.path) {
    if (sn === 0n) return broken();
    if (fn % 2n === 1n || fn === sn) {
      hash = await joined(sibling, hash);
      rungs.push({ sibling, side: 'left', result: hash });
      while (fn % 2n === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      hash = await joined(hash, sibling);
      rungs.push({ sibling, side: 'right', result: hash });
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) return broken();
  const ok = hash === root.toLowerCase();
  return { ok, computed: hash, rungs, fault: ok ? 'none' : 'root' };
}

export type SignatureCheck = 'valid' | 'invalid' | 'unsupported';

interface SignedHead {
  origin?: string;
  size: number;
  root: string;
  signed_at: string;
  signature: string;
  key: string;
}

/** The signed text (C2SP tlog-checkpoint): origin, size, root in base64, time; a line feed after each. */
export function checkpoint(head: SignedHead): string {
  const root = btoa(String.fromCharCode(...fromHex(head.root)));
  return `${head.origin ?? ''}\n${head.size}\n${root}\n${head.signed_at}\n`;
}

/** Checks the tree head's Ed25519 signature where the browser can. */
export async function checkSignature(head: SignedHead): Promise<SignatureCheck> {
  if (!head.origin) return 'unsupported';
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey('raw', fromHex(head.key), { name: 'Ed25519' }, false, ['verify']);
  } catch {
    return 'unsupported';
  }
  try {
    const text = new TextEncoder().encode(checkpoint(head));
    return (await crypto.subtle.verify({ name: 'Ed25519' }, key, fromHex(head.signature), text)) ? 'valid' : 'invalid';
  } catch {
    return 'invalid';
  }
}
