//! Rules about what QEMU alone does.
//!
//! [`QEMU_RULES`] say from the case's own data what it does. Where it cannot be said so, because it does not look at something at
//! all or looks later, [`WITNESSED_RULES`] name instructions and outcomes, and hold only where every other peer was run
//! too, ends as ours does and has our value: two against one. `--peers qemu` alone is not settled for that reason.

use super::case::{CR4_PAE, CR4_SMAP, EFLAGS_VM, Kind, base_of};
use super::compare::What;
use super::explained::{DOUBLE_FAULT, QEMU, RF, Rule, Situation, in_stacks, may_be_flags};
use super::explained_long::is_code_64;
use super::layout::*;
use super::record::Outcome;
use super::sandbox::{MAIN_TASK, Sandbox};

const VIF_VIP: u32 = 0x18_0000;
/// CF, PF, AF, ZF, SF, OF.
const STATUS_FLAGS: u32 = 0x8D5;
/// CR4.VME and CR4.PVI.
const VIRTUAL_INTERRUPTS: u32 = 3;
/// R11, behind R8.
const R11: usize = record::R8 + 6;

impl Situation<'_> {
    /// The first instruction without its prefixes.
    fn opcode(&self) -> &[u8] {
        let prefixes = |b: &u8| match b {
            0x40..=0x4F => self.case.is_64_bit(),
            0x26 | 0x2E | 0x36 | 0x3E | 0x64..=0x67 | 0xF2 | 0xF3 => true,
            _ => false,
        };
        let n = self.case.code.iter().position(|b| !prefixes(b));
        n.map_or(&[], |n| &self.case.code[n..])
    }

    /// Whether the first instruction is CALL, JMP or RET, of a near address.
    fn is_near_transfer(&self) -> bool {
        match self.opcode() {
            [0xE8 | 0xE9 | 0xEB | 0xC2 | 0xC3, ..] => true,
            [0xFF, modrm, ..] => matches!(modrm >> 3 & 7, 2 | 4),
            _ => false,
        }
    }

    /// Whether ours ends with one of these at the first instruction, or with a double fault.
    fn we_refuse(&self, vectors: &[u32]) -> bool {
        self.we_fault_at_once(vectors) || self.vectors().0 == DOUBLE_FAULT
    }

    /// The same, at one of the case's instructions.
    fn we_refuse_a_part(&self, vectors: &[u32]) -> bool {
        let at = self.ours().map_or(0, |r| r.fields[record::EIP]);
        let inside = (at.wrapping_sub(self.case.eip) as usize) < self.case.code.len();
        self.we_refuse(vectors) || inside && vectors.contains(&self.vectors().0)
    }

    /// Whether it is about far transfers, returns and deliveries.
    fn is_transfer(&self) -> bool {
        use Kind::*;
        matches!(
            self.case.kind,
            FarTransfer | FarReturn | Interrupt | InterruptReturn
        )
    }

    /// Whether both end with the same vector at the same place.
    fn same_end(&self) -> bool {
        self.records().is_some_and(|(a, b)| {
            a.vector() == b.vector()
                && [record::EIP, record::CS]
                    .iter()
                    .all(|&n| a.fields[n] == b.fields[n])
        })
    }

    /// Whether a case with virtual interrupts is at a level at which they count.
    fn has_virtual_interrupts(&self) -> bool {
        let c = self.case;
        c.cr4 & VIRTUAL_INTERRUPTS != 0 && c.cpl() == 3 && c.eflags >> 12 & 3 != 3
    }

    /// Whether one of ES, SS and DS has a base that is not 0.
    fn has_bases(&self) -> bool {
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
                matches!(d.what, What::Memory(at) if (DIRECTORY..DIRECTORY + 32).contains(&at));
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
                && s.vectors() == (1, 6)
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
            // Theirs has met the breakpoint at the address that has both halves.
            let both = |vector: u32| {
                let raw = s.case.sandbox.get64(IDT + 8 * vector);
                let whole = raw as u32 & 0xFFFF | (raw >> 32) as u32 & 0xFFFF_0000;
                at == whole & 0xFFFF && (theirs == whole || theirs == whole.wrapping_add(1))
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
                && s.vectors() == (14, 14)
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
            tables && s.vectors() == (14, 14) && d.theirs == d.ours | 0x20
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
            place && s.case.is_64_bit() && s.we_stay(&[12]) && s.vectors() == (12, 13)
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
                (b.vector(), b.fields[record::ERROR]) == (13, 0)
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
                 stack; QEMU raises it in the midst of the switch, or pushes it on a stack that is not loaded, and then comes the \
                 double fault, with the EIP of one of both tasks and perhaps a CR2",
        explains: |s, d| {
            let (ours, theirs) = s.vectors();
            let from = s.ours().map_or(0, |r| r.fields[record::LINK]);
            let traces = match d.what {
                What::Field(n) => n == record::CR2,
                What::Memory(at) => at == TSS_32 + 32 || at == TSS_16 + 12,
                What::Lost => false,
            };
            let both = ours == DOUBLE_FAULT && from & 0xFFF8 != u32::from(MAIN_TASK);
            theirs == DOUBLE_FAULT
                && ((10..=12).contains(&ours) && s.task_was_switched() || both && traces)
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
                let selector = b.fields[record::ERROR];
                let raw = s.case.sandbox.descriptor(selector as u16);
                (b.vector(), b.fields[record::EIP]) == (13, s.case.eip)
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

/// What only a second witness settles.
pub static WITNESSED_RULES: &[Rule] = &[
    Rule {
        name: "witnessed: RF, VIF and VIP in images of flags",
        peers: QEMU,
        reason: "an instruction that is executed clears RF (SDM vol. 3, section 17.3.1.1), IRET and SYSRET load flags (vol. 2), \
                 SYSRET not VM; QEMU keeps RF, VIF and VIP, and loads VM. An image that is not aligned shows them in any byte",
        explains: |s, d| {
            let changed = d.ours ^ d.theirs;
            let bits = changed >> (changed.trailing_zeros() & !7).min(24);
            let loads_vm = s.opcode().starts_with(&[0x0F, 0x07]);
            let all = (RF | VIF_VIP) >> 16 | if loads_vm { EFLAGS_VM >> 16 } else { 0 };
            may_be_flags(d) && bits & !all == 0 && s.same_end() && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: status flags",
        peers: QEMU,
        reason: "a fault leaves those of the instruction before it (SDM vol. 3, section 6.5), and SYSCALL saves them all in R11 and masks them \
                 (vol. 2); QEMU's are of an earlier state",
        explains: |s, d| {
            let place = may_be_flags(d) || d.what == What::Field(R11);
            let changed = (d.ours ^ d.theirs) & !(RF | VIF_VIP);
            place && changed & !STATUS_FLAGS == 0 && s.same_end() && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: upper half of RSP behind a far transfer",
        peers: QEMU,
        reason: "in 64-bit mode the stack pointer has 64 bits whatever the operand size (SDM vol. 1, section 6.2.5); QEMU's far CALL, RET and IRET \
                 leave 16 or 32 of them",
        explains: |s, d| {
            let about = matches!(
                s.case.kind,
                Kind::FarTransfer | Kind::FarReturn | Kind::InterruptReturn
            );
            let place = d.what == What::Field(record::ESP_UPPER)
                || d.what == What::Field(record::UPPER + 4)
                || in_stacks(d);
            about
                && s.case.is_64_bit()
                && place
                && d.theirs == 0
                && s.same_end()
                && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: alignment check",
        peers: QEMU,
        reason: "a misaligned access of level 3 with AM and AC is #AC(0) (SDM vol. 3, section 6.15, interrupt 17); QEMU has no such \
                 check in many instructions",
        explains: |s, d| {
            // Of SGDT's and SIDT's two parts Bochs has stored the first already.
            let first_part =
                matches!(s.opcode(), [0x0F, 0x01, ..]) && matches!(d.what, What::Memory(_));
            s.case.kind == Kind::Alignment
                && s.we_fault_at_once(&[17])
                && (s.is_witnessed(d) || first_part)
        },
    },
    Rule {
        name: "witnessed: the target of a near transfer",
        peers: QEMU,
        reason: "a target outside of the limit, or not canonical, is an exception of CALL, JMP and RET (SDM vol. 2); QEMU goes there \
                 first",
        explains: |s, d| s.is_near_transfer() && s.we_refuse(&[12, 13, 14]) && s.is_witnessed(d),
    },
    Rule {
        name: "witnessed: an access that leaves the canonical addresses",
        peers: QEMU,
        reason: "all bytes of an operand have to be canonical (SDM vol. 1, section 3.3.7.1); QEMU looks at the first",
        explains: |s, d| {
            let about = matches!(
                s.case.kind,
                Kind::Canonical | Kind::FarReturn | Kind::InterruptReturn
            );
            about && s.case.is_64_bit() && s.we_refuse(&[12, 13]) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: limits and types of data segments",
        peers: QEMU,
        reason: "an access outside of a segment's limit or against its type is #GP(0) or #SS(0) (SDM vol. 3, sections 5.3 and 5.5); QEMU \
                 checks neither, and goes on to what comes next",
        explains: |s, d| {
            let memory = matches!(
                s.case.kind,
                Kind::Limit | Kind::SegmentLoad | Kind::Virtual8086 | Kind::Alignment
            );
            let memory = memory || s.case.kind == Kind::Canonical;
            memory && !s.case.is_64_bit() && s.we_refuse_a_part(&[12, 13]) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: bases in 64-bit mode",
        peers: QEMU,
        reason: "those of ES, SS and DS are treated as 0 (SDM vol. 1, section 3.4.4); QEMU, which has just been in another mode, adds them",
        explains: |s, d| {
            let about = matches!(s.case.kind, Kind::Limit | Kind::SegmentLoad | Kind::Page);
            // The case has loaded a segment before it stores.
            let bases = s.has_bases()
                || s.case.kind == Kind::SegmentLoad && !s.we_fault_at_once(&[11, 12, 13, 14]);
            about && s.case.is_64_bit() && bases && s.is_witnessed(d)
        },
    },
    Rule {
        name: "accessed bit of a code segment",
        peers: QEMU,
        reason: "it is set when the segment is loaded (SDM vol. 3, section 3.4.5.1); QEMU does not set it in far transfers",
        explains: |s, d| {
            let transfer = s.is_transfer();
            let of_code = match d.what {
                What::Memory(at @ GDT..IDT) => s.case.sandbox.get32(at) >> 11 & 3 == 3,
                _ => false,
            };
            let loaded = s.ours().map_or(0, |r| r.fields[record::CS] as u16);
            let at = Sandbox::descriptor_at(loaded).map(|at| What::Memory(at + 4));
            transfer
                && of_code
                && d.ours == d.theirs | 0x100
                && (at.as_ref() == Some(&d.what) || s.is_witnessed(d))
        },
    },
    Rule {
        name: "witnessed: accessed bits of a walk that ends in a double fault",
        peers: QEMU,
        reason: "an entry is marked when it is used for a translation (SDM vol. 3, section 4.8); QEMU marks the upper ones on its way",
        explains: |s, d| {
            let tables = matches!(d.what, What::Memory(at)
                if (DIRECTORY..OPERANDS).contains(&at) || (DIRECTORY_64..IDENTITY).contains(&at));
            tables
                && s.vectors() == (DOUBLE_FAULT, DOUBLE_FAULT)
                && d.theirs == d.ours | 0x20
                && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: rights of the stack in far transfers, returns and deliveries",
        peers: QEMU,
        reason: "the stack is read and written with the level's rights; only tables and the TSS are supervisor's whatever the level (SDM \
                 vol. 3, section 4.6.1). QEMU's accesses are the supervisor's, to which SMAP applies",
        explains: |s, d| {
            let transfer = s.is_transfer();
            let supervisor = match s.theirs {
                Outcome::Recorded(b) => b.vector() == 14 && b.fields[record::ERROR] & 4 == 0,
                _ => false,
            };
            // Ours may not write the handler's stack at level 3.
            let refused = s
                .ours()
                .is_some_and(|a| a.vector() == 14 && a.fields[record::ERROR] & 7 == 7);
            transfer && s.case.cpl() == 3 && (supervisor || refused) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: checks of far transfers, returns and deliveries",
        peers: QEMU,
        reason: "limits of the stack and of the code, canonical addresses, the types and levels of segments, in that instruction (SDM vol. 2, \
                 CALL, JMP, RET, INT n, IRET: protected mode exceptions); QEMU leaves some out, and does others behind the transfer",
        explains: |s, d| {
            let transfer = s.is_transfer();
            transfer && s.we_refuse(&[10, 11, 12, 13, 14]) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: offset of a 16-bit call gate",
        peers: QEMU,
        reason: "it has 16 bits (SDM vol. 3, section 5.8.3); QEMU takes the reserved word too",
        explains: |s, d| {
            let (at, theirs) = s.records().map_or((0, 0), |(a, b)| {
                (a.fields[record::EIP], b.fields[record::EIP])
            });
            // Theirs has met the breakpoint at the address that has both halves.
            let both = (GDT..LDT + LDT_BYTES).step_by(8).any(|gate| {
                let raw = s.case.sandbox.get64(gate);
                let whole = raw as u32 & 0xFFFF | (raw >> 32) as u32 & 0xFFFF_0000;
                raw >> 40 & 0x1F == 4
                    && whole != at
                    && whole & 0xFFFF == at
                    && theirs.wrapping_sub(whole) <= 1
            });
            s.case.kind == Kind::FarTransfer && both && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: conforming code by a call gate",
        peers: QEMU,
        reason: "the level stays, and with it the stack and the RPL of CS (SDM vol. 2, CALL, CALL-GATE: SAME-PRIVILEGE; vol. 3, section 5.8.4); \
                 QEMU goes by the selector",
        explains: |s, d| {
            let cs = s.ours().map_or(0, |r| r.fields[record::CS]);
            let raw = s.case.sandbox.descriptor(cs as u16);
            let conforming = raw >> 42 & 7 == 7;
            s.case.kind == Kind::FarTransfer && conforming && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: what LTR, MOV SS and CLFLUSH refuse",
        peers: QEMU,
        reason: "LTR of a null selector and MOV of one to SS whose RPL is not the level are #GP(0); CLFLUSH has the exceptions of a read of a byte \
                 (SDM vol. 2); QEMU executes them",
        explains: |s, d| {
            let long_ss = s.case.is_64_bit() && s.case.kind == Kind::SegmentLoad;
            let (ours, error) = s
                .ours()
                .map_or((0, 0), |r| (r.vector(), r.fields[record::ERROR]));
            let about = match s.opcode() {
                [0x0F, 0x00, modrm, ..] => modrm >> 3 & 7 == 3 && (ours, error) == (13, 0),
                [0x0F, 0xAE, modrm, ..] => modrm >> 3 & 7 == 7 && ours == 14,
                [0x8E, modrm, ..] => modrm >> 3 & 7 == 2 && long_ss && (ours, error) == (13, 0),
                _ => false,
            };
            about && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: what system instructions of long mode refuse",
        peers: QEMU,
        reason: "LLDT and LTR of a descriptor of 16 bytes whose upper half has a type are #GP(selector) (SDM vol. 3, section 3.5.2), LGDT, \
                 LIDT, WRFSBASE and WRGSBASE of an address that is not canonical #GP(0) (SDM vol. 2); QEMU executes them",
        explains: |s, d| {
            let about = match s.opcode() {
                [0x0F, 0x00 | 0x01, modrm, ..] => matches!(modrm >> 3 & 7, 2 | 3),
                [0x0F, 0xAE, modrm, ..] => matches!(modrm >> 3 & 7, 2 | 3) && *modrm >= 0xC0,
                _ => false,
            };
            s.case.long.is_some() && about && s.we_refuse_a_part(&[13]) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: types that LAR and LSL do not know in IA-32e mode",
        peers: QEMU,
        reason: "those of 16-bit segments, task gates and 286's gates are invalid there, and ZF is cleared (SDM vol. 2, table 3-57); QEMU \
                 takes some",
        explains: |s, d| {
            let about = matches!(s.opcode(), [0x0F, 0x02 | 0x03, ..]);
            s.case.long.is_some() && about && s.same_end() && s.is_witnessed(d)
        },
    },
    Rule {
        name: "error code of a target beyond the limit",
        peers: QEMU,
        reason: "it is 0 (SDM vol. 2, CALL and JMP: tempEIP outside of the code segment limit); QEMU's names the selector",
        explains: |s, d| {
            let codes = s
                .error_codes(d)
                .is_some_and(|(ours, theirs)| ours == 0 && theirs > 3);
            s.case.kind == Kind::FarTransfer && s.we_fault_at_once(&[13]) && codes
        },
    },
    Rule {
        name: "witnessed: the level of a null stack segment",
        peers: QEMU,
        reason: "in 64-bit mode SS may be null at levels 0 to 2, and the level is CS' (SDM vol. 3, section 5.5); for QEMU the level of \
                 an exception behind it is 0",
        explains: |s, d| {
            let ss = s.ours().map_or(0, |r| r.fields[record::SS]);
            s.case.long.is_some() && matches!(ss, 1 | 2) && s.same_end() && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: task switches",
        peers: QEMU,
        reason: "what is checked before a switch and behind it, and what is stored in the old TSS (SDM vol. 3, section 7.3); QEMU checks the \
                 TSS with other exceptions, and stores the EIP of an instruction that it has not finished",
        explains: |s, d| {
            let transfer = s.is_transfer();
            let (ours, theirs) = s.vectors();
            let about =
                s.task_was_switched() || [ours, theirs].contains(&10) || theirs == DOUBLE_FAULT;
            transfer && s.case.long.is_none() && about && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: SYSCALL, SYSRET, SYSENTER and SYSEXIT",
        peers: QEMU,
        reason: "SYSCALL and SYSRET are #UD outside of 64-bit mode; SYSRET to an address that is not canonical is #GP(0) in \
                 ring 0, as are SYSENTER and SYSEXIT with such (SDM vol. 2). QEMU has the first two in every mode, and checks no address",
        explains: |s, d| {
            let about = matches!(s.opcode(), [0x0F, 0x05 | 0x07 | 0x34 | 0x35, ..]);
            let refused = s.we_refuse(&[6, 13]);
            about && refused && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: reserved bits of control registers and MSRs",
        peers: QEMU,
        reason: "they are #GP(0), as are combinations that are not allowed (SDM vol. 2, MOV to control registers, WRMSR); QEMU loads them, \
                 with which not every case comes back",
        explains: |s, d| {
            let about = s
                .case
                .code
                .windows(2)
                .any(|c| matches!(c, [0x0F, 0x22 | 0x30 | 0x32]));
            about && matches!(s.vectors().0, 13 | DOUBLE_FAULT) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: control and debug registers outside of 64-bit mode",
        peers: QEMU,
        reason: "MOV to them has 32 bits there (SDM vol. 2, MOV); QEMU writes 64, with which not every case comes back",
        explains: |s, d| {
            let upper = s
                .case
                .long
                .as_ref()
                .is_some_and(|l| l.upper.iter().any(|&u| u != 0));
            let about = match s.opcode() {
                [0x0F, 0x22, ..] => {
                    matches!(d.what, What::Field(record::CR2_UPPER) | What::Lost) && d.ours == 0
                }
                [0x0F, 0x23, ..] => s.vectors().1 == 13,
                _ => false,
            };
            about && upper && !s.case.is_64_bit() && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: #UD before #GP",
        peers: QEMU,
        reason: "an invalid opcode comes before an exception of its execution (SDM vol. 3, table 6-2); QEMU looks at the level first",
        explains: |s, d| {
            s.case.kind == Kind::Privileged
                && s.case.cpl() != 0
                && s.we_fault_at_once(&[6])
                && s.vectors().1 == 13
                && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: what a port answers",
        peers: QEMU,
        reason: "which devices there are is not the processor's; the peer's machine has others",
        explains: |s, d| {
            s.case.kind == Kind::Port
                && d.what == What::Field(record::REGISTERS)
                && s.same_end()
                && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: which part of an access is first",
        peers: QEMU,
        reason: "EAX is pushed first (SDM vol. 2, PUSHA); an access that crosses a page has two parts, and the first that faults gives CR2 and the \
                 error code (vol. 3, section 6.15, interrupt 14). QEMU begins at the other end, and CMPS with DI's operand",
        explains: |s, d| {
            let close = s.records().is_some_and(|(a, b)| {
                let apart = a.fields[record::CR2].abs_diff(b.fields[record::CR2]);
                (1..32).contains(&apart)
            });
            let place = matches!(
                d.what,
                What::Field(record::CR2 | record::ERROR) | What::Memory(STACKS..DIRECTORY)
            );
            let one = s.case.kind == Kind::Page && s.we_fault_at_once(&[14]) && s.same_end();
            let compares = matches!(s.opcode(), [0xA6 | 0xA7, ..]) && s.we_fault_at_once(&[14]);
            (one && close && place || compares) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: breakpoints and single steps",
        peers: QEMU,
        reason: "which accesses meet a breakpoint, and which instructions a single step (SDM vol. 3, sections 17.2.5 and 17.3.1.4); QEMU reports \
                 accesses that meet none, nothing behind STI, or comes down",
        explains: |s, d| s.case.kind == Kind::Debug && s.is_witnessed(d),
    },
];
