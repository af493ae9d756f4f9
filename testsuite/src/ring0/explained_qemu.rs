//! Rules about what QEMU alone does.
//!
//! [`QEMU_RULES`] say from the case's own data what it does. Where it cannot be said so, because it does not look at something at
//! all or looks later, [`super::explained_witnessed`] asks a second witness.

use super::case::{CR4_PAE, CR4_SMAP, EFLAGS_VM, Kind, base_of};
use super::compare::What;
use super::explained::{DOUBLE_FAULT, QEMU, RF, Rule, Situation, in_stacks, may_be_flags};
use super::explained_long::is_code_64;
use super::layout::*;
use super::sandbox::MAIN_TASK;

/// VIF and VIP.
pub const VIF_VIP: u32 = 0x18_0000;
/// CF, PF, AF, ZF, SF, OF.
pub const STATUS_FLAGS: u32 = 0x8D5;
/// CR4.VME and CR4.PVI.
pub const VIRTUAL_INTERRUPTS: u32 = 3;
/// R11, behind R8.
pub const R11: usize = record::R8 + 6;

impl Situation<'_> {
    /// The first instruction without its prefixes.
    pub fn opcode(&self) -> &[u8] {
        let prefixes = |b: &u8| match b {
            0x40..=0x4F => self.case.is_64_bit(),
            0x26 | 0x2E | 0x36 | 0x3E | 0x64..=0x67 | 0xF2 | 0xF3 => true,
            _ => false,
        };
        let n = self.case.code.iter().position(|b| !prefixes(b));
        n.map_or(&[], |n| &self.case.code[n..])
    }

    /// Whether the first instruction is CALL, JMP or RET, of a near address.
    pub fn is_near_transfer(&self) -> bool {
        match self.opcode() {
            [0xE8 | 0xE9 | 0xEB | 0xC2 | 0xC3, ..] => true,
            [0xFF, modrm, ..] => matches!(modrm >> 3 & 7, 2 | 4),
            _ => false,
        }
    }

    /// Whether ours ends with one of these at the first instruction, or with a double fault.
    pub fn we_refuse(&self, vectors: &[u32]) -> bool {
        self.we_fault_at_once(vectors) || self.vectors().0 == DOUBLE_FAULT
    }

    /// The same, at one of the case's instructions.
    pub fn we_refuse_a_part(&self, vectors: &[u32]) -> bool {
        let at = self.ours().map_or(0, |r| r.fields[record::EIP]);
        let inside = (at.wrapping_sub(self.case.eip) as usize) < self.case.code.len();
        self.we_refuse(vectors) || inside && vectors.contains(&self.vectors().0)
    }

    /// Whether it is about far transfers, returns and deliveries.
    pub fn is_transfer(&self) -> bool {
        use Kind::*;
        matches!(
            self.case.kind,
            FarTransfer | FarReturn | Interrupt | InterruptReturn
        )
    }

    /// Whether both end with the same vector at the same place.
    pub fn same_end(&self) -> bool {
        self.records().is_some_and(|(a, b)| {
            a.vector() == b.vector()
                && [record::EIP, record::CS]
                    .iter()
                    .all(|&n| a.fields[n] == b.fields[n])
        })
    }

    /// Whether a case with virtual interrupts is at a level at which they count.
    pub fn has_virtual_interrupts(&self) -> bool {
        let c = self.case;
        c.cr4 & VIRTUAL_INTERRUPTS != 0 && c.cpl() == 3 && c.eflags >> 12 & 3 != 3
    }

    /// Whether one of ES, SS and DS has a base that is not 0.
    pub fn has_bases(&self) -> bool {
        let c = self.case;
        [c.data[0], c.data[1], c.ss, c.registers[0] as u16]
            .iter()
            .any(|&selector| base_of(c.sandbox.descriptor(selector)) != 0)
    }
}

/// What follows from the case.
pub static QEMU_RULES: &[Rule] = &[
    Rule {
        name: "accessed bit in a page-directory-pointer entry",
        peers: QEMU,
        reason: "an entry of PAE's first table has none: bit 5 is reserved (SDM vol. 3, table 4-8); QEMU sets it",
        explains: |s, d| {
            let entry =
                matches!(d.what, What::Memory(at) if (DIRECTORY..DIRECTORY + 0x1000).contains(&at));
            entry && s.case.long.is_none() && s.case.cr4 & CR4_PAE != 0 && d.ours ^ d.theirs == 0x20
        },
    },
    Rule {
        name: "null selectors on the way to an outer level",
        peers: QEMU,
        reason: "a null selector becomes 0 (SDM vol. 2, IRET and RET, RETURN-TO-OUTER-PRIVILEGE-LEVEL: NULL); QEMU keeps its RPL",
        explains: |_, d| match d.what {
            What::Field(record::VECTOR) => {
                d.ours >> 16 == d.theirs >> 16 && d.ours & 0xFFFF == 0 && d.theirs & 0xFFFC == 0
            }
            What::Field(n) => {
                (record::SEGMENTS..record::SEGMENTS + 3).contains(&n)
                    && d.ours == 0
                    && d.theirs <= 3
            }
            What::Memory(at) => {
                (TSS..STACKS).contains(&at) && d.ours & 0xFFFF == 0 && d.theirs & 0xFFFC == 0
            }
            What::Lost => false,
        },
    },
    Rule {
        name: "VIF and VIP are not written by IRET",
        peers: QEMU,
        reason: "IRETD at CPL 0 loads VIF and VIP (SDM vol. 2, IRET); QEMU leaves them alone, so that those of an earlier case stay",
        explains: |s, d| {
            let saved = d.what == What::Field(R11) && s.opcode().starts_with(&[0x0F, 0x05]);
            (may_be_flags(d) || saved) && (d.ours ^ d.theirs) & !VIF_VIP == 0
        },
    },
    Rule {
        name: "INT1",
        peers: QEMU,
        reason: "the opcode F1h is INT1, a trap to vector 1 (SDM vol. 2, INT n); QEMU raises #UD",
        explains: |s, _| {
            s.case.code.contains(&0xF1)
                && s.end_with(1, 6)
                && s.records().is_some_and(|(a, b)| {
                    a.fields[record::EIP] == b.fields[record::EIP].wrapping_add(1)
                })
        },
    },
    Rule {
        name: "offset of a 16-bit gate",
        peers: QEMU,
        reason: "it has 16 bits (SDM vol. 3, section 6.11, figure 6-2; vol. 2, INT n: \"temporary EIP AND 0000FFFFH\"); QEMU takes the \
                 reserved word too",
        explains: |s, _| {
            let of_16_bits = |vector: u32| {
                let raw = s.case.sandbox.get64(IDT + 8 * vector);
                raw >> 40 & 0x1E == 6 && raw >> 48 != 0
            };
            let (at, theirs) = s.records().map_or((0, 0), |(a, b)| {
                (a.fields[record::EIP], b.fields[record::EIP])
            });
            // Both have met a breakpoint or a fault: theirs at the address that has both halves, or soon behind it.
            let both = |vector: u32| {
                let raw = s.case.sandbox.get64(IDT + 8 * vector);
                let whole = raw as u32 & 0xFFFF | (raw >> 32) as u32 & 0xFFFF_0000;
                at.wrapping_sub(whole & 0xFFFF) <= 1 && theirs.wrapping_sub(whole) < 16
            };
            s.case.long.is_none() && (0..VECTORS).any(|v| of_16_bits(v) && both(v))
        },
    },
    Rule {
        name: "error code of a page fault by a reserved bit, or of an instruction that reads and writes",
        peers: QEMU,
        reason: "a reserved bit is found in an entry that is present: P is set (SDM vol. 3, section 4.7); and an instruction that \
                 will write asks for the right to do so when it reads, as a processor does. QEMU leaves P out, and reads first",
        explains: |s, d| {
            const RESERVED: u32 = 8;
            const WRITE: u32 = 2;
            let place = matches!(d.what, What::Memory(_) | What::Field(record::ERROR));
            let Some((a, b)) = s.records() else {
                return false;
            };
            let (ours, theirs) = (a.fields[record::ERROR], b.fields[record::ERROR]);
            let present = u32::from(ours & RESERVED != 0);
            let same_place = a.fields[record::CR2] == b.fields[record::CR2]
                && a.fields[record::EIP] == b.fields[record::EIP];
            let left_out = ours & !theirs;
            place
                && s.end_with(14, 14)
                && same_place
                && theirs & !ours == 0
                && left_out & !(WRITE | present) == 0
                && [0, 8, 16, 24]
                    .map(|n| (ours ^ theirs) << n)
                    .contains(&(d.ours ^ d.theirs))
        },
    },
    Rule {
        name: "accessed bits of a walk that faults",
        peers: QEMU,
        reason: "an entry is marked when it is used for a translation (SDM vol. 3, section 4.8); where a lower one faults there is \
                 none. QEMU marks the upper ones on its way",
        explains: |s, d| {
            let tables = matches!(d.what, What::Memory(at)
                if (DIRECTORY..OPERANDS).contains(&at) || (DIRECTORY_64..IDENTITY).contains(&at));
            tables && s.end_with(14, 14) && d.theirs == d.ours | 0x20
        },
    },
    Rule {
        name: "RF in the image of a fault",
        peers: QEMU,
        reason: "every fault pushes EFLAGS with RF set (SDM vol. 3, section 17.3.1.1); QEMU never does",
        explains: |_, d| {
            may_be_flags(d) && (d.ours ^ d.theirs) & !VIF_VIP == RF && d.ours & RF != 0
        },
    },
    Rule {
        name: "SS of a handler that the IST gives its stack",
        peers: QEMU,
        reason: "SS becomes null where the level changes (SDM vol. 3, section 6.14.4); a stack of the IST at the same level \
                 replaces RSP alone (section 6.14.5). QEMU clears SS whenever it takes one",
        explains: |s, d| {
            let has_one = (0..VECTORS).any(|v| s.case.sandbox.get64(IDT + 16 * v) >> 32 & 7 != 0);
            let place = matches!(d.what, What::Memory(_) | What::Field(record::SS))
                || d.what == What::Field(record::SEGMENTS + 3);
            let popped = s.ours().map_or(0, |r| r.fields[record::SS]);
            let of_ours = [popped, s.case.ss.into()].contains(&d.ours);
            s.case.long.is_some()
                && has_one
                && place
                && of_ours
                && [0, d.ours & 3].contains(&d.theirs)
        },
    },
    Rule {
        name: "error code of a gate of 16 bytes",
        peers: QEMU,
        reason: "it has the vector as its index, and EXT if an exception was on its way (SDM vol. 3, section 6.13, figure 6-7); \
                 in long mode QEMU's has twice the vector, and no EXT",
        explains: |s, d| {
            s.error_codes(d).is_some_and(|(ours, theirs)| {
                s.case.long.is_some()
                    && ours & 2 != 0
                    && theirs & !1 == ours >> 3 << 4 | 2
                    && theirs & 1 <= ours & 1
            })
        },
    },
    Rule {
        name: "EXT in an error code",
        peers: QEMU,
        reason: "it is set if an exception was on its way (SDM vol. 3, section 6.13); QEMU leaves it out",
        explains: |s, d| {
            s.error_codes(d).is_some_and(|(ours, theirs)| {
                (10..=13).contains(&s.vectors().0) && ours & 1 != 0 && theirs == ours & !1
            })
        },
    },
    Rule {
        name: "a type in the upper half of a 64-bit gate",
        peers: QEMU,
        reason: "the last four bytes are reserved (SDM vol. 3, figure 6-8); that a type there is refused is said of call gates \
                 (section 5.8.3.1) and of gates of the IDT by nothing (section 6.14.1). Ours and Bochs refuse it; QEMU does not look",
        explains: |s, _| {
            let error = s.ours().map_or(0, |r| r.fields[record::ERROR]);
            s.case.long.is_some()
                && match s.vectors().0 {
                    13 => error & 2 != 0 && s.gate_is_malformed(error >> 3),
                    DOUBLE_FAULT => (0..VECTORS).any(|v| s.gate_is_malformed(v)),
                    _ => false,
                }
        },
    },
    Rule {
        name: "VM in the image of an IRET that does not load it",
        peers: QEMU,
        reason: "only IRET at CPL 0 outside of IA-32e mode goes to virtual-8086 mode; elsewhere VM is not loaded (SDM vol. 2, IRET, \
                 PROTECTED-MODE-RETURN, IA-32e-MODE-RETURN). QEMU goes there from everywhere",
        explains: |s, _| {
            let wide = match s.case.code[..] {
                [0xCF, ..] => s.case.wide || s.case.is_64_bit(),
                [0x66, 0xCF, ..] => !s.case.wide && !s.case.is_64_bit(),
                _ => false,
            };
            let there = s.records().is_some_and(|(_, b)| {
                b.fields[record::EFLAGS] & EFLAGS_VM != 0 || b.vector() == DOUBLE_FAULT
            });
            s.case.kind == Kind::InterruptReturn
                && !s.case.is_virtual()
                && (s.case.long.is_some() || s.case.cpl() != 0)
                && wide
                && s.on_stack(2) & EFLAGS_VM != 0
                && there
        },
    },
    Rule {
        name: "upper halves of RIP and RSP outside of 64-bit mode",
        peers: QEMU,
        reason: "EIP has 32 bits there (SDM vol. 1, section 3.5.1), and SYSEXIT to it takes EDX and ECX (vol. 2, SYSEXIT); QEMU counts on in \
                 64 bits",
        explains: |s, d| {
            let Some((_, b)) = s.records() else {
                return false;
            };
            let exit = s.case.code.ends_with(&[0x0F, 0x35]);
            let is = |n: usize| {
                let place = d.what == What::Field(n) || in_stacks(d);
                place && d.ours == 0 && d.theirs == b.fields[n]
            };
            s.case.long.is_some()
                && s.same_end()
                && (is(record::EIP_UPPER) && (exit || !s.case.is_64_bit())
                    || is(record::ESP_UPPER) && exit)
        },
    },
    Rule {
        name: "#SS of an address that is not canonical",
        peers: QEMU,
        reason: "it is for the stack's segment (SDM vol. 3, section 6.15, interrupt 12); QEMU raises #GP",
        explains: |s, d| {
            let place = match d.what {
                What::Field(record::VECTOR) => d.ours & 0xFFFF == d.theirs & 0xFFFF,
                // What ENTER had pushed before.
                What::Memory(at) => d.ours == s.case.sandbox.get32(at),
                _ => false,
            };
            place && s.case.is_64_bit() && s.we_stay(&[12]) && s.end_with(12, 13)
        },
    },
    Rule {
        name: "INT n of virtual-8086 mode extensions",
        peers: QEMU,
        reason: "with CR4.VME a bit of the TSS redirects it to virtual-8086 mode's own handler (SDM vol. 3, section 20.3.3, table \
                 20-2); QEMU does as without",
        explains: |s, _| {
            let [0xCD, vector, ..] = *s.opcode() else {
                return false;
            };
            let error = match s.case.eflags >> 12 & 3 {
                3 => u32::from(vector) << 3 | 2,
                _ => 0,
            };
            let theirs = s.records().is_some_and(|(_, b)| {
                (b.vector(), b.fields[record::ERROR]) == (13, error)
                    && b.fields[record::EIP] == s.case.eip
            });
            let gate = s
                .case
                .sandbox
                .get64(IDT + 8 * (u32::from(vector) % VECTORS));
            let delivered = error != 0 && gate >> 45 & 3 == 3;
            s.case.is_virtual() && s.case.cr4 & 1 != 0 && (theirs || delivered)
        },
    },
    Rule {
        name: "virtual interrupts",
        peers: QEMU,
        reason: "with CR4.VME or PVI, CLI, STI, PUSHF, POPF and IRET of level 3 work on VIF (SDM vol. 3, sections 20.3 and 20.4). For QEMU VIP \
                 is what an earlier case left, with which STI, POPF and IRET are #GP(0), or it has no such instruction",
        explains: |s, _| {
            let theirs = s.records().is_some_and(|(_, b)| {
                // As a double fault where its stack is not there.
                matches!((b.vector(), b.fields[record::ERROR]), (8 | 13, 0))
                    && b.fields[record::EIP] == s.case.eip
            });
            let about = matches!(s.opcode(), [0xFA | 0xFB | 0x9C | 0x9D | 0xCF, ..]);
            s.has_virtual_interrupts() && about && theirs
        },
    },
    Rule {
        name: "VIF and VIP both set",
        peers: QEMU,
        reason: "they are #GP(0) before the next instruction (SDM vol. 3, sections 20.3 and 20.4); QEMU executes it, for it has not \
                 loaded them",
        explains: |s, _| {
            s.has_virtual_interrupts()
                && s.case.eflags & VIF_VIP == VIF_VIP
                && s.we_fault_at_once(&[13])
        },
    },
    Rule {
        name: "a new task cannot be begun",
        peers: QEMU,
        reason: "what is wrong with a new task is an exception in it (SDM vol. 3, section 7.3, steps 11 and 12), for which it needs its \
                 stack; QEMU raises it in the midst of the switch, with some of the old task's registers, or pushes it on a stack that is not loaded, and then comes the \
                 double fault, with the EIP of one of both tasks and perhaps a CR2",
        explains: |s, d| {
            let (ours, theirs) = s.vectors();
            let from = s.ours().map_or(0, |r| r.fields[record::LINK]);
            let traces = match d.what {
                What::Field(n) => n == record::CR2,
                What::Memory(at) => {
                    // The new task's code is marked as accessed.
                    let marked = (GDT..IDT).contains(&at) && d.ours == d.theirs | 0x100;
                    marked || at == TSS_32 + 32 || at == TSS_16 + 12
                }
                What::Lost => false,
            };
            let both = ours == DOUBLE_FAULT && from & 0xFFF8 != u32::from(MAIN_TASK);
            let in_new_task = s.task_was_switched();
            theirs == DOUBLE_FAULT && ((10..=12).contains(&ours) && in_new_task || both && traces)
                || (10..=12).contains(&ours) && theirs == 10 && in_new_task
        },
    },
    Rule {
        name: "stacks of far transfers and returns as supervisor",
        peers: QEMU,
        reason: "they pop and push with the level's rights; only tables and the TSS are supervisor's whatever the level (SDM vol. 3, section \
                 4.6.1). QEMU's accesses are the supervisor's, whom SMAP keeps from a user's page",
        explains: |s, _| {
            let popping = s.records().is_some_and(|(_, b)| {
                let apart = b.fields[record::CR2].abs_diff(s.case.esp);
                b.vector() == 14
                    && matches!(b.fields[record::ERROR], 1 | 3)
                    && b.fields[record::EIP] == s.case.eip
                    && apart < 64
            });
            let transfer = matches!(
                s.case.kind,
                Kind::FarTransfer | Kind::FarReturn | Kind::InterruptReturn
            );
            transfer && s.case.cpl() == 3 && s.case.cr4 & CR4_SMAP != 0 && popping
        },
    },
    Rule {
        name: "limit of 64-bit code",
        peers: QEMU,
        reason: "there is none (SDM vol. 3, section 5.3.1); QEMU holds the target of a far transfer against the one in the descriptor",
        explains: |s, _| {
            let limit = |raw: u64| {
                let limit = raw as u32 & 0xFFFF | (raw >> 32) as u32 & 0xF_0000;
                if raw >> 55 & 1 == 0 {
                    limit
                } else {
                    limit << 12 | 0xFFF
                }
            };
            let refused = s.records().is_some_and(|(a, b)| {
                // Its #GP may end as a double fault.
                let (vector, selector) = match b.vector() {
                    DOUBLE_FAULT => (13, a.fields[record::CS] & !3),
                    vector => (vector, b.fields[record::ERROR]),
                };
                let raw = s.case.sandbox.descriptor(selector as u16);
                (vector, b.fields[record::EIP]) == (13, s.case.eip)
                    && is_code_64(s.case, selector)
                    && a.fields[record::CS] & !3 == selector
                    && a.fields[record::EIP] > limit(raw)
            });
            s.case.long.is_some() && s.case.kind == Kind::FarTransfer && refused
        },
    },
    Rule {
        name: "RDPMC and INVPCID",
        peers: QEMU,
        reason: "the processor that it is said to be has them (SDM vol. 2); QEMU raises #UD",
        explains: |s, _| {
            let about = matches!(s.opcode(), [0x0F, 0x33, ..] | [0x0F, 0x38, 0x82, ..]);
            let theirs = s.records().is_some_and(|(_, b)| {
                matches!(b.vector(), 6 | DOUBLE_FAULT) && b.fields[record::EIP] == s.case.eip
            });
            about && theirs
        },
    },
    Rule {
        name: "reserved bits of CR0, DR6 and DR7",
        peers: QEMU,
        reason: "they are not stored (SDM vol. 3, sections 2.5, 17.2.3 and 17.2.4); QEMU stores those of CR0, bit 12 of \
                 DR6, and bits 11, 12, 14 and 15 of DR7",
        explains: |s, d| {
            let reserved = match d.what {
                What::Field(record::CR0) => !0xE005_003F,
                What::Field(record::DR6) => 1 << 12,
                What::Field(record::DR7) => 0xD800,
                _ => 0,
            };
            let loads = s
                .case
                .code
                .windows(2)
                .any(|c| matches!(c, [0x0F, 0x22 | 0x23]));
            loads && (d.ours ^ d.theirs) & !reserved == 0 && d.theirs & d.ours == d.ours
        },
    },
];
