//! What standards publish, computed by instructions that hosts may lack: SHA-1 and SHA-256 of the examples to FIPS 180-4,
//! each message through a program of SHA instructions on our core.

use crate::exceptions::stage::{CODE, Ended, Mode, Stage};
use anyhow::{Context, Result};
use campaign::{CampaignArgs, Results, Row, Suite, Tally};
use cpu::CpuModel;
use emu_core::x86::Cr4;
use iced_x86::code_asm::*;

/// `testsuite published`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    campaign: CampaignArgs,
    /// The CPU model
    #[arg(long, default_value = "max")]
    model: String,
}

/// More than a block's program has.
const INSNS_LIMIT: u64 = 1000;
// Where the programs' data lies.
const STATE: u64 = 0x2_0000;
const CONSTANTS: u64 = 0x2_1000;
const BLOCK: u64 = 0x2_2000;

/// A message and its digests, in hexadecimal.
struct Example {
    name: &'static str,
    message: fn() -> Vec<u8>,
    sha_1: &'static str,
    sha_256: &'static str,
}

/// NIST's examples for SHA-1 and SHA-256, and the empty message.
const EXAMPLES: [Example; 4] = [
    Example {
        name: "the empty message",
        message: Vec::new,
        sha_1: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        sha_256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    Example {
        name: "abc",
        message: || b"abc".to_vec(),
        sha_1: "a9993e364706816aba3e25717850c26c9cd0d89d",
        sha_256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    },
    Example {
        name: "448 bits",
        message: || b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_vec(),
        sha_1: "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        sha_256: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    },
    Example {
        name: "a million times a",
        message: || vec![b'a'; 1_000_000],
        sha_1: "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
        sha_256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    },
];

const SHA_1: [&str; 4] = ["sha1rnds4", "sha1nexte", "sha1msg1", "sha1msg2"];
const SHA_256: [&str; 3] = ["sha256rnds2", "sha256msg1", "sha256msg2"];

/// Runs the suite; `true` if every digest is the published one.
pub fn run(args: &Args) -> Result<bool> {
    let shard = args.campaign.shard()?;
    let model = CpuModel::by_name(&args.model);
    let model = model.with_context(|| format!("there is no CPU model {}", args.model))?;
    let mut results = Results::new(Suite::Published, shard).set("model", model.name);
    results.oracles.insert("FIPS 180-4".into());
    for example in shard.of(&EXAMPLES) {
        let message = (example.message)();
        let both = [
            (&SHA_1[..], sha_1(model, &message)?, example.sha_1),
            (&SHA_256[..], sha_256(model, &message)?, example.sha_256),
        ];
        for (instructions, digest, published) in both {
            println!("{digest}  {}", example.name);
            let failed = u64::from(digest != published);
            for instruction in instructions {
                let mut row = Row::about(instruction).counted(Tally {
                    cases: 1,
                    failed,
                    ..Tally::default()
                });
                if failed != 0 {
                    row.describe(0, &format!("{digest} instead of {published}"));
                }
                results.add(instruction, example.name, row);
            }
        }
    }
    campaign::conclude(&results, &args.campaign)
}

/// The message in blocks of sixteen words (FIPS 180-4, section 5.1.1).
fn blocks(message: &[u8]) -> Vec<[u32; 16]> {
    let mut bytes = message.to_vec();
    bytes.push(0x80);
    bytes.resize((bytes.len() + 8).next_multiple_of(64) - 8, 0);
    bytes.extend((8 * message.len() as u64).to_be_bytes());
    let word = |b: &[u8]| u32::from_be_bytes([b[0], b[1], b[2], b[3]]);
    let block = |b: &[u8]| -> [u32; 16] { std::array::from_fn(|i| word(&b[4 * i..])) };
    bytes.chunks_exact(64).map(block).collect()
}

/// A processor with a program, which works on memory and ends with a breakpoint.
struct Machine {
    stage: Stage,
}

impl Machine {
    fn new(model: &'static CpuModel, mut program: CodeAssembler) -> Result<Self> {
        let mut stage = Stage::new(model, Mode::Protected, 0)?;
        stage.state.cr4 |= Cr4::OSFXSR;
        program.int3()?;
        stage.write(CODE, &program.assemble(CODE)?);
        Ok(Self { stage })
    }

    fn run(&mut self) -> Result<()> {
        let begin = self.stage.state;
        let ended = self.stage.run(INSNS_LIMIT);
        self.stage.state = begin;
        let vector = match ended {
            Ended::Exception { vector, .. } => vector.to_string(),
            other => format!("{other:?}"),
        };
        anyhow::ensure!(vector == "3", "the program ended with {vector}");
        Ok(())
    }

    fn put(&self, at: u64, words: &[u32]) {
        for (n, w) in words.iter().enumerate() {
            self.stage.write32(at + 4 * n as u64, *w);
        }
    }

    fn word(&self, at: u64) -> u32 {
        let mut bytes = [0; 4];
        self.stage.read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }
}

fn at(address: u64, n: u64) -> AsmMemoryOperand {
    xmmword_ptr(address + 16 * n)
}

/// The words of the message as registers that are used in turn.
const W: [AsmRegisterXmm; 4] = [xmm3, xmm4, xmm5, xmm6];

/// SHA-1 (FIPS 180-4, section 6.1.2; SDM vol. 2, "SHA1RNDS4" and those beside it).
fn sha_1(model: &'static CpuModel, message: &[u8]) -> Result<String> {
    let mut a = CodeAssembler::new(32)?;
    a.movdqu(xmm1, at(STATE, 0))?;
    a.movdqu(xmm2, at(STATE, 1))?;
    for i in 0..20u64 {
        let m = |back: u64| W[((i + 4 - back) % 4) as usize];
        if i < 4 {
            a.movdqu(m(0), at(BLOCK, i))?;
        } else {
            a.sha1msg1(m(4), m(3))?;
            a.pxor(m(4), m(2))?;
            a.sha1msg2(m(4), m(1))?;
        }
        if i == 0 {
            a.paddd(xmm2, m(0))?;
        } else {
            a.sha1nexte(xmm2, m(0))?;
        }
        a.movdqa(xmm7, xmm1)?;
        a.sha1rnds4(xmm1, xmm2, (i / 5) as i32)?;
        a.movdqa(xmm2, xmm7)?;
    }
    a.movdqu(xmm7, at(STATE, 1))?;
    a.sha1nexte(xmm2, xmm7)?;
    a.movdqu(xmm7, at(STATE, 0))?;
    a.paddd(xmm1, xmm7)?;
    a.movdqu(at(STATE, 0), xmm1)?;
    a.movdqu(at(STATE, 1), xmm2)?;
    let mut machine = Machine::new(model, a)?;
    // A to D from the highest lane down; E in the highest lane.
    machine.put(STATE, &[0x1032_5476, 0x98BA_DCFE, 0xEFCD_AB89, 0x6745_2301]);
    machine.put(STATE + 16, &[0, 0, 0, 0xC3D2_E1F0]);
    for mut block in blocks(message) {
        for four in block.chunks_exact_mut(4) {
            four.reverse();
        }
        machine.put(BLOCK, &block);
        machine.run()?;
    }
    let order = [12, 8, 4, 0, 28];
    Ok(order
        .map(|o| format!("{:08x}", machine.word(STATE + o)))
        .concat())
}

/// SHA-256 (FIPS 180-4, section 6.2.2; SDM vol. 2, "SHA256RNDS2" and those beside it).
fn sha_256(model: &'static CpuModel, message: &[u8]) -> Result<String> {
    let mut a = CodeAssembler::new(32)?;
    a.movdqu(xmm1, at(STATE, 0))?;
    a.movdqu(xmm2, at(STATE, 1))?;
    for i in 0..16u64 {
        let m = |back: u64| W[((i + 4 - back) % 4) as usize];
        if i < 4 {
            a.movdqu(m(0), at(BLOCK, i))?;
        } else {
            a.sha256msg1(m(4), m(3))?;
            a.movdqa(xmm7, m(1))?;
            a.palignr(xmm7, m(2), 4)?;
            a.paddd(m(4), xmm7)?;
            a.sha256msg2(m(4), m(1))?;
        }
        a.movdqu(xmm0, at(CONSTANTS, i))?;
        a.paddd(xmm0, m(0))?;
        a.sha256rnds2(xmm2, xmm1)?;
        a.pshufd(xmm0, xmm0, 0x0E)?;
        a.sha256rnds2(xmm1, xmm2)?;
    }
    for (n, register) in [(0, xmm1), (1, xmm2)] {
        a.movdqu(xmm7, at(STATE, n))?;
        a.paddd(register, xmm7)?;
        a.movdqu(at(STATE, n), register)?;
    }
    let mut machine = Machine::new(model, a)?;
    // ABEF and CDGH, the first letter in the highest lane.
    machine.put(STATE, &[0x9B05_688C, 0x510E_527F, 0xBB67_AE85, 0x6A09_E667]);
    machine.put(
        STATE + 16,
        &[0x5BE0_CD19, 0x1F83_D9AB, 0xA54F_F53A, 0x3C6E_F372],
    );
    let primes = (2u128..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    let constants: Vec<u32> = primes.take(64).map(cube_root_fraction).collect();
    machine.put(CONSTANTS, &constants);
    for block in blocks(message) {
        machine.put(BLOCK, &block);
        machine.run()?;
    }
    let order = [12, 8, 28, 24, 4, 0, 20, 16];
    Ok(order
        .map(|o| format!("{:08x}", machine.word(STATE + o)))
        .concat())
}

/// 32 bits of the fractional part of a prime's cube root (FIPS 180-4, section 4.2.2).
fn cube_root_fraction(prime: u128) -> u32 {
    // floor(cbrt(prime) * 2^32) by bisection of the cube.
    let (mut low, mut high) = (0u128, 1u128 << 36);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle * middle * middle <= prime << 96 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_the_short_examples_are_the_published_ones() {
        let model = CpuModel::by_name("max").unwrap();
        for example in &EXAMPLES[..3] {
            let message = (example.message)();
            assert_eq!(sha_1(model, &message).unwrap(), example.sha_1);
            assert_eq!(sha_256(model, &message).unwrap(), example.sha_256);
        }
    }
}
