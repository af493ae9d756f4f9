//! Rules about differences in long mode.

use super::case::{Case, Kind};
use super::compare::{Difference, What};
use super::explained::{BOCHS, BOTH, Rule, Situation};
use super::layout::*;
use super::record::{Outcome, Record};

const PVI: u32 = 2;
const VIF_VIP: u32 = 0x18_0000;
/// What a delivery pushes: six quadwords, below an address that is a multiple of 16.
const PUSHED_MAX: u32 = 64;
/// The first address above the lower half.
const HOLE: u64 = 0x8000_0000_0000;

/// Whether ours has left each byte of a dword alone, or written what theirs has.
pub fn untouched(case: &Case, at: u32, ours: u32, theirs: u32) -> bool {
    let before = case.sandbox.get32(at).to_le_bytes();
    let (ours, theirs) = (ours.to_le_bytes(), theirs.to_le_bytes());
    (0..4).all(|n| ours[n] == before[n] || ours[n] == theirs[n])
}

/// Whether a selector is one of 64-bit code.
pub fn is_code_64(case: &Case, selector: u32) -> bool {
    let raw = case.sandbox.descriptor(selector as u16);
    raw >> 43 & 3 == 3 && raw >> 53 & 1 == 1
}

pub fn is_null(selector: u16) -> bool {
    selector & 0xFFFC == 0
}

impl Situation<'_> {
    pub fn ours(&self) -> Option<&Record> {
        match self.ours {
            Outcome::Recorded(r) => Some(r),
            _ => None,
        }
    }

    /// Whether ours ended, in a double fault perhaps, at the instruction at which the case begins.
    pub fn we_stay(&self, vectors: &[u32]) -> bool {
        self.we_fault_at_once(vectors)
            && self
                .ours()
                .is_some_and(|r| r.fields[record::CS] == u32::from(self.case.cs))
    }

    /// What IRET or RETF pops: CS and SS, if the level changes or SS is popped anyway.
    pub fn popped(&self) -> Option<(u16, u16)> {
        let c = self.case;
        let (bytes, rest): (u32, &[u8]) = match c.code[..] {
            [0x48, ref rest @ ..] if c.is_64_bit() => (8, rest),
            [0x66, ref rest @ ..] => (if c.wide { 2 } else { 4 }, rest),
            ref rest => (if c.wide { 4 } else { 2 }, rest),
        };
        let behind_cs = match rest {
            [0xCF, ..] => bytes,
            [0xCB, ..] => 0,
            [0xCA, low, high, ..] => u32::from(u16::from_le_bytes([*low, *high])),
            _ => return None,
        };
        let mut top = c.esp;
        if !c.is_64_bit() {
            let raw = c.sandbox.descriptor(c.ss);
            let esp = if raw >> 54 & 1 != 0 {
                c.esp
            } else {
                c.esp & 0xFFFF
            };
            top = super::case::base_of(raw).wrapping_add(esp);
        }
        let word = |at: u32| {
            let offset = at.wrapping_sub(SANDBOX) as usize;
            let bytes = c.sandbox.bytes().get(offset..offset + 2)?;
            Some(u16::from_le_bytes([bytes[0], bytes[1]]))
        };
        let ss = top.wrapping_add(3 * bytes + behind_cs);
        Some((word(top.wrapping_add(bytes))?, word(ss)?))
    }

    /// Whether a 64-bit gate has a type in its upper half.
    pub fn gate_is_malformed(&self, vector: u32) -> bool {
        vector < VECTORS && self.case.sandbox.get64(IDT + 16 * vector + 8) >> 40 & 0x1F != 0
    }

    /// Whether a gate leads to conforming 64-bit code, which keeps the level.
    fn has_conforming_handler(&self) -> bool {
        (0..VECTORS).any(|vector| {
            let selector = (self.case.sandbox.get64(IDT + 16 * vector) >> 16) as u16;
            let conforming = self.case.sandbox.descriptor(selector) >> 42 & 1 == 1;
            conforming && is_code_64(self.case, selector.into())
        })
    }

    /// Whether ours ended with a page fault of a write at level 3, where theirs wrote or had the same fault at level 0.
    fn pushes_at_level_3(&self, d: &Difference) -> bool {
        const WRITE: u32 = 2;
        const USER: u32 = 4;
        const PROTECTION: u32 = 1;
        let Some((a, b)) = self.records() else {
            return false;
        };
        let (error, at) = (a.fields[record::ERROR], a.fields[record::CR2]);
        if a.vector() != 14 || error & (WRITE | USER) != WRITE | USER {
            return false;
        }
        if b.vector() == 14 {
            let place = matches!(d.what, What::Memory(_) | What::Field(record::ERROR));
            let same = b.fields[record::CR2] == at && b.fields[record::ERROR] == error & !USER;
            return place && same && (d.ours, d.theirs) == (error, error & !USER);
        }
        let outside = !(SANDBOX..FILLER).contains(&at) && self.is_witnessed(d);
        error & PROTECTION != 0 && (outside || b.memory.contains_key(&(at & 0xFFFC)))
    }

    /// The instruction is CALL of a far pointer.
    pub fn is_far_call(&self) -> bool {
        let opcode = self
            .case
            .code
            .iter()
            .position(|b| ![0x48, 0x66, 0x67].contains(b));
        let rest = opcode.map_or(&[][..], |n| &self.case.code[n..]);
        matches!(rest, [0x9A, ..]) || matches!(rest, [0xFF, modrm, ..] if modrm >> 3 & 7 == 3)
    }
}

/// Those in long mode.
pub static LONG_RULES: &[Rule] = &[
    Rule {
        name: "handlers of long mode outside of it",
        peers: BOTH,
        reason: "with paging turned off in compatibility mode IA-32e mode ends (SDM vol. 3, section 9.8.5.4), and the IDT's gates are read as \
                 ones of 8 bytes: 64-bit handlers are executed as 32-bit code, in memory that is the machine's own. Nothing \
                 comes back from any",
        explains: |s, d| {
            let back = |o: &Outcome| matches!(o, Outcome::Recorded(_));
            let turned_off = s
                .case
                .code
                .windows(3)
                .any(|c| matches!(c, [0x0F, 0x22, 0xC0]) && s.case.registers[0] >> 31 == 0);
            d.what == What::Lost
                && !s.case.is_64_bit()
                && turned_off
                && !back(s.ours)
                && !back(s.theirs)
        },
    },
    Rule {
        name: "upper half of RSP behind 64-bit mode",
        peers: BOTH,
        reason: "not preserved, that is undefined, in compatibility mode (SDM vol. 1, section 3.4.1.1); ours keeps it as \
                 silicon does, the peers clear it",
        explains: |s, d| {
            let Some((a, b)) = s.records() else {
                return false;
            };
            let upper = a.fields[record::ESP_UPPER];
            let register = matches!(
                d.what,
                What::Field(record::ESP_UPPER) | What::Memory(STACKS..DIRECTORY)
            ) || d.what == What::Field(record::UPPER + 4);
            // What a delivery in that mode pushes onto it lies below it.
            let pushed = d.what == What::Field(record::CR2_UPPER)
                && a.fields[record::CR2] == b.fields[record::CR2]
                && a.fields[record::ESP].wrapping_sub(a.fields[record::CR2]) <= PUSHED_MAX;
            s.case.is_64_bit()
                && (register || pushed)
                && (d.ours, d.theirs) == (upper, 0)
                && a.fields[record::CS] == b.fields[record::CS]
                // SYSRET's code segment is what it is to be, whatever its descriptor says.
                && (s.case.code == [0x0F, 0x07] || !is_code_64(s.case, a.fields[record::CS]))
        },
    },
    Rule {
        name: "upper halves in compatibility mode",
        peers: BOCHS,
        reason: "undefined there (SDM vol. 1, section 3.4.1.1): those of the eight old registers, which ours and Bochs clear or keep \
                 in different instructions",
        explains: |s, d| {
            let (What::Field(n), Some(long)) = (&d.what, &s.case.long) else {
                return false;
            };
            // RSP stands between RBX and RBP.
            let before = match n.checked_sub(record::UPPER) {
                Some(n @ 0..=3) => long.upper[n],
                Some(4) => long.rsp_upper,
                Some(n @ 5..=7) => long.upper[n - 1],
                _ => return false,
            };
            let cleared_or_kept = [(0, before), (before, 0)].contains(&(d.ours, d.theirs));
            cleared_or_kept && !s.case.is_64_bit()
        },
    },
    Rule {
        name: "upper half of FMASK",
        peers: BOTH,
        reason: "bits 63 to 32 are reserved (SDM vol. 4, table 2-2, IA32_FMASK), and WRMSR of reserved bits is #GP(0) (vol. 2); \
                 the peers drop them",
        explains: |s, _| {
            s.case.code.starts_with(&[0x0F, 0x30])
                && s.case.registers[1] == 0xC000_0084
                && s.case.registers[2] != 0
                && s.we_stay(&[13, 8])
        },
    },
    Rule {
        name: "which part of an operand comes first",
        peers: BOTH,
        reason: "an operand of 10 bytes and a far pointer are two accesses, in an order that no manual names: a processor \
                 (Skylake) checks and loads 8 bytes and then 2, offset and then selector, as ours does; Bochs loads the upper part of \
                 FLD and FBLD first, and the selector of a far pointer; QEMU reads FBLD's byte by byte from the last one down",
        explains: |s, d| {
            let packed_decimal =
                |code: &[u8]| matches!(code, [0xDF, modrm, ..] if modrm >> 3 & 7 == 4);
            let part = |code: &[u8]| match code {
                [0xDF, ..] => packed_decimal(code),
                [0xDB, modrm, ..] => modrm >> 3 & 7 == 5,
                _ => false,
            };
            let cr2 = |r: &Record| {
                u64::from(r.fields[record::CR2]) | u64::from(r.fields[record::CR2_UPPER]) << 32
            };
            let apart = s.records().map(|(a, b)| cr2(b).wrapping_sub(cr2(a)));
            let about_pages = matches!(d.what, What::Field(record::CR2 | record::CR2_UPPER))
                || s.end_with(14, 14) && s.error_codes(d).is_some();
            let pointer = |c: &[u8]| matches!(c, [0xC4 | 0xC5, _]);
            let upper = about_pages
                && match apart {
                    Some(8) => s.case.code.windows(2).any(part),
                    // Byte by byte, from the last one down.
                    Some(1..=9) if s.case.code.windows(2).any(packed_decimal) => true,
                    Some(2 | 4) => s.case.code.windows(2).any(pointer),
                    _ => false,
                };
            let (_, theirs) = s.vectors();
            let page_or_limit = s.we_stay(&[12, 13]) && theirs == 14
                || s.we_stay(&[14]) && [12, 13].contains(&theirs);
            let either = s.case.kind == Kind::Limit
                && s.case.code.windows(2).any(|c| pointer(c) || part(c))
                && page_or_limit;
            upper || either
        },
    },
    Rule {
        name: "LAR and LSL of a descriptor whose upper half has a type",
        peers: BOCHS,
        reason: "they look at the type of a descriptor (SDM vol. 2, LAR, LSL); only a use of it refuses what stands where a type \
                 would be in its upper half (vol. 3, section 5.8.3.1); Bochs says that it is not valid",
        explains: |s, _| {
            let queries = |c: &[u8]| matches!(c, [0x0F, 2 | 3]);
            let selectors = [
                s.case.registers[0] as u16,
                s.case.sandbox.get32(OPERANDS + 16) as u16,
            ];
            let typed = |selector: u16| {
                s.case.sandbox.descriptor(selector) >> 44 & 1 == 0
                    && s.case.sandbox.descriptor((selector & !3).wrapping_add(8)) >> 40 & 0x1F != 0
            };
            s.case.kind == Kind::Query
                && s.end_with(3, 3)
                && s.case.code.windows(2).any(queries)
                && selectors.into_iter().any(typed)
        },
    },
    Rule {
        name: "SS of SYSCALL",
        peers: BOTH,
        reason: "SS is STAR[47:32] + 8; only CS is AND FFFCh (SDM vol. 2, SYSCALL); the peers clear SS's RPL too",
        explains: |s, d| {
            let star = s.case.long.as_ref().map_or(0, |l| l.msrs[3]);
            let ss = u32::from((star >> 32) as u16).wrapping_add(8) & 0xFFFF;
            let place = matches!(d.what, What::Memory(_) | What::Field(record::SS))
                || d.what == What::Field(record::SEGMENTS + 3);
            s.case.code.ends_with(&[0x0F, 0x05]) && place && (d.ours, d.theirs) == (ss, ss & !3)
        },
    },
    Rule {
        name: "IRET of 16 or 32 bits in 64-bit mode",
        peers: BOTH,
        reason: "it pops SS:RSP whatever its operand size and wherever it leads (SDM vol. 2, IRET: \"instruction began in \
                 64-bit mode\"); a processor (Skylake) does so, and checks SS. The peers do not if the level stays",
        explains: |s, _| {
            s.case.is_64_bit()
                && matches!(s.case.code[..], [0xCF] | [0x66, 0xCF])
                && s.popped()
                    .is_some_and(|(cs, _)| cs as u8 & 3 == s.case.cpl())
        },
    },
    Rule {
        name: "RPL of a null stack segment",
        peers: BOTH,
        reason: "a null SS on the way to 64-bit code must have the RPL of CS, or #GP(0) (SDM vol. 2, IRET, \
                 IA-32e-MODE-RETURN; RET likewise); the peers take any",
        explains: |s, _| {
            matches!(s.case.kind, Kind::FarReturn | Kind::InterruptReturn)
                && s.we_stay(&[13, 8])
                && s.popped().is_some_and(|(cs, ss)| {
                    is_code_64(s.case, cs.into()) && is_null(ss) && (cs ^ ss) & 3 != 0
                })
        },
    },
    Rule {
        name: "pushes before a fault in long mode",
        peers: BOTH,
        reason: "what a far call, a delivery, ENTER or PUSHA that faults had pushed lies below the stack pointer, which has not moved; \
                 the manual checks the entry point first (SDM vol. 2, INT n, 64-bit gate; CALL; ENTER)",
        explains: |s, d| {
            let What::Memory(at) = d.what else {
                return false;
            };
            let Some((a, b)) = s.records() else {
                return false;
            };
            let same = [
                record::EIP,
                record::ESP,
                record::ESP_UPPER,
                record::SS,
                record::CR2,
            ]
            .iter()
            .all(|&n| a.fields[n] == b.fields[n]);
            let (ours, theirs) = s.vectors();
            let stopped = match s.case.kind {
                // A second instruction, perhaps.
                Kind::Interrupt => ours == 8,
                Kind::FarTransfer => s.is_far_call() && s.we_stay(&[13, 8]),
                _ => {
                    let code = s.case.code.strip_prefix(&[0x66]).unwrap_or(&s.case.code);
                    matches!(code, [0xC8 | 0x60, ..]) && s.we_stay(&[12, 13, 14, 8])
                }
            } || s.case.kind == Kind::Interrupt && s.we_stay(&[13]);
            ours == theirs && stopped && same && untouched(s.case, at, d.ours, d.theirs)
        },
    },
    Rule {
        name: "LLDT and LTR in compatibility mode",
        peers: BOTH,
        reason: "in IA-32e mode descriptors of an LDT or a TSS have 16 bytes, in compatibility mode too (SDM vol. 3, section 3.5.2: \
                 \"in IA-32e mode\"); the peers read the upper half in 64-bit mode only",
        explains: |s, _| {
            let rest = match s.case.code[..] {
                [0x67, ref rest @ ..] => rest,
                ref all => all,
            };
            let loads = matches!(rest, [0x0F, 0x00, modrm, ..] if matches!(modrm >> 3 & 7, 2 | 3));
            let selector = match rest {
                [_, _, modrm, ..] if *modrm >= 0xC0 => s.case.registers[0] as u16,
                _ => s.case.sandbox.get32(OPERANDS + 16) as u16,
            };
            !s.case.is_64_bit()
                && loads
                && s.case.sandbox.descriptor((selector & !3).wrapping_add(8)) != 0
        },
    },
    Rule {
        name: "a stack that begins at the end of the lower half",
        peers: BOTH,
        reason: "a push refers to the addresses that it writes (SDM vol. 1, section 3.3.7.1): those below 0000800000000000h \
                 are canonical, and not mapped here. The peers refuse the stack pointer",
        explains: |s, _| {
            let cr2 = s.ours().map_or(0, |r| {
                u64::from(r.fields[record::CR2]) | u64::from(r.fields[record::CR2_UPPER]) << 32
            });
            // That page fault may have ended in another one and in a double fault.
            let ended = s.ours == &Outcome::Shutdown || s.vectors() == (8, 8) && cr2 != 0;
            (ended || (HOLE - 16..HOLE).contains(&cr2))
                && (0..12).any(|n| s.case.sandbox.get64(TSS + 4 + 8 * n) == HOLE)
        },
    },
    Rule {
        name: "#SS of a new stack that is not canonical",
        peers: BOCHS,
        reason: "the error code names the new stack segment, which is null in IA-32e mode (SDM vol. 2, INT n, #SS(0)); Bochs' \
                 names the old one",
        explains: |s, d| {
            let old = u32::from(s.case.ss & !3);
            let place = matches!(d.what, What::Memory(_) | What::Field(record::ERROR));
            matches!(s.case.kind, Kind::Interrupt | Kind::FarTransfer)
                && s.end_with(12, 12)
                && place
                && d.ours & !1 == 0
                && d.theirs & !1 == old
        },
    },
    Rule {
        name: "the stack of a far CALL that changes the mode",
        peers: BOCHS,
        reason: "CALL of a code segment pushes CS and the address and then loads CS (SDM vol. 2, CALL, \
                 NONCONFORMING-CODE-SEGMENT): by the rules of the mode that it leaves. Bochs loads CS first, so that SS's base and \
                 size, or a null SS, count by the new mode",
        explains: |s, _| {
            let Some(r) = s.ours() else {
                return false;
            };
            let to_64 = is_code_64(s.case, r.fields[record::CS]);
            let stack = s.case.sandbox.descriptor(s.case.ss);
            // With a target that ours refuses, CS is still the old one.
            let refused = s.end_with(13, 12) && s.we_fault_at_once(&[13]);
            let matters = if s.case.is_64_bit() {
                is_null(s.case.ss) && (!to_64 || refused)
            } else {
                (stack >> 54 & 1 == 0 || super::case::base_of(stack) != 0) && to_64
            };
            // Conforming code of an inner level: Bochs pushes with that level's rights.
            let conforming = |selector: u32| {
                let code = s.case.sandbox.descriptor(selector as u16);
                code >> 42 & 3 == 3 && code >> 45 & 3 < u64::from(s.case.cpl())
            };
            // Where ours refuses the target behind the pushes, it stands in memory alone, behind 2, 4 or 8 bytes.
            let pushes_refused = s.end_with(13, 14) && s.we_fault_at_once(&[13]);
            let inner = conforming(r.fields[record::CS])
                || pushes_refused
                    && [18, 20, 24]
                        .iter()
                        .any(|at| conforming(s.case.sandbox.get32(OPERANDS + at)));
            s.case.kind == Kind::FarTransfer && s.is_far_call() && (matters || inner)
        },
    },
    Rule {
        name: "the stack of a conforming handler at level 3",
        peers: BOTH,
        reason: "a handler in conforming code keeps level 3, and what is pushed for it is written at that level: only accesses to \
                 descriptor tables and the TSS are supervisor's whatever the level (SDM vol. 3, section 4.6.1). The peers push as \
                 supervisor",
        explains: |s, d| s.case.cpl() == 3 && s.has_conforming_handler() && s.pushes_at_level_3(d),
    },
    Rule {
        name: "a new stack segment that is not present",
        peers: BOCHS,
        reason: "it is #SS(selector) (SDM vol. 2, IRET, IA-32e-MODE-RETURN and protected mode exceptions; a processor, Skylake, does \
                 so); Bochs raises #NP",
        explains: |s, d| {
            d.what == What::Field(record::VECTOR)
                && s.case.kind == Kind::InterruptReturn
                && s.end_with(12, 11)
                && s.we_stay(&[12])
                && s.popped().is_some_and(|(_, ss)| {
                    let error = s.ours().map(|r| r.fields[record::ERROR]);
                    error == Some(u32::from(ss & !3))
                        && s.case.sandbox.descriptor(ss) >> 47 & 1 == 0
                })
        },
    },
    Rule {
        name: "VIP and VIF in 64-bit mode",
        peers: BOCHS,
        reason: "with CR4.PVI, both set at CPL 3 below IOPL 3 are #GP(0) before the next instruction (SDM vol. 3, section 20.4), \
                 in 64-bit mode as elsewhere; Bochs looks at them outside of it only",
        explains: |s, _| {
            s.case.is_64_bit()
                && s.case.cpl() == 3
                && s.case.cr4 & PVI != 0
                && s.case.eflags & VIF_VIP == VIF_VIP
                && s.case.eflags >> 12 & 3 != 3
                && s.we_fault_at_once(&[13, 8])
        },
    },
];
