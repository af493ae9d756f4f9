//! Differences that are not ours to mend: each by a rule about the case, with the manual's section.
//!
//! A rule looks at one value that differs, in the light of the case and both records. Rules about a whole course of events
//! (the peer ends with another exception) explain all values of the case.

use super::case::{Case, EFLAGS_VM, Kind};
use super::compare::{Difference, What};
use super::explained_long::{LONG_RULES, untouched};
use super::explained_qemu::QEMU_RULES;
use super::explained_witnessed::WITNESSED_RULES;
use super::layout::*;
use super::machines::Who;
use super::record::{Outcome, Record};

/// What a rule looks at.
pub struct Situation<'a> {
    pub case: &'a Case,
    pub ours: &'a Outcome,
    pub theirs: &'a Outcome,
    /// How the other peers' outcomes differ from ours, but for what has a reason of their own.
    pub others: &'a [Vec<Difference>],
}

/// A rule.
pub struct Rule {
    /// Its name in the report.
    pub name: &'static str,
    /// Which peers it is about.
    pub peers: &'static [Who],
    /// Why the difference is none of ours; the section of the SDM.
    pub reason: &'static str,
    /// Whether it explains this difference in this situation.
    pub explains: fn(&Situation, &Difference) -> bool,
}

pub const BOTH: &[Who] = &[Who::Bochs, Who::Qemu];
pub const BOCHS: &[Who] = &[Who::Bochs];
pub const QEMU: &[Who] = &[Who::Qemu];

pub const RF: u32 = 1 << 16;
const VIF_VIP: u32 = 0x18_0000;
pub const DOUBLE_FAULT: u32 = 8;
/// More than a delivery pushes outside of long mode.
const PUSHED_MAX: u32 = 24;
/// Real mode's, at address 0, as firmware fills them.
const INTERRUPT_VECTORS_BYTES: u32 = 0x400;

impl Situation<'_> {
    /// Both records.
    pub fn records(&self) -> Option<(&Record, &Record)> {
        match (self.ours, self.theirs) {
            (Outcome::Recorded(a), Outcome::Recorded(b)) => Some((a, b)),
            _ => None,
        }
    }

    /// Whether every other peer has our value here, or another one for a reason of its own, and ends as ours does; `false` if
    /// there is none.
    pub fn is_witnessed(&self, d: &Difference) -> bool {
        let speaks_against = |other: &Difference| other.what == d.what || other.is_of_the_end();
        !self.others.is_empty() && !self.others.iter().flatten().any(speaks_against)
    }

    /// Both vectors; 256: the machine came down.
    pub fn vectors(&self) -> (u32, u32) {
        let vector = |o: &Outcome| match o {
            Outcome::Recorded(r) => r.vector(),
            Outcome::Shutdown | Outcome::Silent => 256,
        };
        (vector(self.ours), vector(self.theirs))
    }

    /// Whether these are the vectors, or both ended with a double fault because they could not be delivered.
    pub fn end_with(&self, ours: u32, theirs: u32) -> bool {
        let vectors = self.vectors();
        vectors == (ours, theirs) || vectors == (DOUBLE_FAULT, DOUBLE_FAULT)
    }

    /// The same of the peer's alone.
    pub fn they_end_with(&self, vector: u32) -> bool {
        let theirs = self.vectors().1;
        theirs == vector || theirs == DOUBLE_FAULT
    }

    /// Both error codes, if this is the difference between them, in the frame or in the record.
    pub fn error_codes(&self, d: &Difference) -> Option<(u32, u32)> {
        let (a, b) = self.records()?;
        let codes = (a.fields[record::ERROR], b.fields[record::ERROR]);
        let place = matches!(d.what, What::Memory(_) | What::Field(record::ERROR));
        let same = a.vector() == b.vector() && place && codes == (d.ours, d.theirs);
        same.then_some(codes)
    }

    /// Whether ours ended at the instruction at which the case begins, with one of these vectors, or with a double fault because
    /// it could not be delivered.
    pub fn we_fault_at_once(&self, vectors: &[u32]) -> bool {
        match self.ours {
            Outcome::Recorded(r) => {
                let vector = r.vector();
                (vectors.contains(&vector) || vector == DOUBLE_FAULT)
                    && r.fields[record::EIP] == self.case.eip
            }
            _ => false,
        }
    }

    /// Whether ours has left the task in which the case began.
    pub fn task_was_switched(&self) -> bool {
        match self.ours {
            Outcome::Recorded(r) => {
                r.fields[record::TASK] & 0xFFF8 != u32::from(super::sandbox::MAIN_TASK)
            }
            _ => false,
        }
    }

    /// Whether ours has written the state of a task into one of the task state segments or is in another.
    fn task_of_16_bits(&self) -> bool {
        let Outcome::Recorded(r) = self.ours else {
            return false;
        };
        let of_16_bits = |selector: u32| {
            let raw = self.case.sandbox.descriptor(selector as u16);
            raw >> 40 & 0x1D == 1
        };
        of_16_bits(r.fields[record::TASK] & 0xFFFF) || of_16_bits(r.fields[record::LINK])
    }

    /// Whether an address lies where the stack that one of the other tasks begins with is pushed to.
    fn below_the_stack_of_a_task(&self, at: u32) -> bool {
        let sandbox = &self.case.sandbox;
        let tops = [
            (sandbox.get32(TSS_32 + 80), sandbox.get32(TSS_32 + 56)),
            (
                sandbox.get32(TSS_16 + 38),
                sandbox.get32(TSS_16 + 26) & 0xFFFF,
            ),
        ];
        tops.into_iter().any(|(ss, esp)| {
            let raw = sandbox.descriptor(ss as u16);
            let big = raw >> 54 & 1 != 0;
            let sp = if big { esp } else { esp & 0xFFFF };
            let top = super::case::base_of(raw).wrapping_add(sp);
            (1..=PUSHED_MAX).contains(&top.wrapping_sub(at))
        })
    }

    /// Whether the instruction is POPA or POPAD and the word of the stack pointer, which it skips, is beyond the limit.
    fn skips_beyond_the_limit(&self) -> bool {
        let c = self.case;
        let bytes: u32 = match (&c.code[..], c.wide) {
            ([0x61], true) | ([0x66, 0x61], false) => 4,
            ([0x61], false) | ([0x66, 0x61], true) => 2,
            _ => return false,
        };
        let raw = c.sandbox.descriptor(c.ss);
        let big = raw >> 54 & 1 != 0;
        let top = if big { u32::MAX } else { 0xFFFF };
        let limit = raw as u32 & 0xFFFF | (raw >> 32) as u32 & 0xF_0000;
        let limit = match raw >> 55 & 1 {
            0 => limit,
            _ => limit << 12 | 0xFFF,
        };
        let first = c.esp.wrapping_add(3 * bytes) & top;
        let last = first.checked_add(bytes - 1).filter(|&last| last <= top);
        let expand_down = raw >> 42 & 3 == 1;
        let inside = last.is_some_and(|last| {
            if expand_down {
                first > limit
            } else {
                last <= limit
            }
        });
        !inside && !c.is_64_bit()
    }

    /// Whether the task from which ours came to the double fault's, if that is not the task in which the case began, has its page
    /// tables behind the memory: its state segment says so, or lies over the interrupt vectors, which lead to firmware, so that
    /// each is more than the memory when it is taken for CR3.
    fn failing_task_has_no_page_tables(&self) -> bool {
        let Outcome::Recorded(r) = self.ours else {
            return false;
        };
        let link = r.fields[record::LINK];
        if link & 0xFFF8 == u32::from(super::sandbox::MAIN_TASK) {
            return false;
        }
        let base = super::case::base_of(self.case.sandbox.descriptor(link as u16));
        let inside = (SANDBOX..SANDBOX + SANDBOX_BYTES - 32).contains(&base);
        let over_vectors = base < INTERRUPT_VECTORS_BYTES - 32;
        let cr3 = inside.then(|| u64::from(self.case.sandbox.get32(base + 28)));
        over_vectors || cr3.is_some_and(|cr3| cr3 >= super::machines::MEMORY_BYTES)
    }

    /// The dword of the frame that IRET or RETF finds; 0 where there is none.
    pub fn on_stack(&self, n: u32) -> u32 {
        let c = self.case;
        let raw = match c.is_64_bit() {
            // Flat, whatever SS is.
            true => 1 << 54,
            false => c.sandbox.descriptor(c.ss),
        };
        let esp = if raw >> 54 & 1 != 0 {
            c.esp
        } else {
            c.esp & 0xFFFF
        };
        let at = super::case::base_of(raw)
            .wrapping_add(esp)
            .wrapping_add(4 * n);
        let inside = (SANDBOX..SANDBOX + SANDBOX_BYTES - 3).contains(&at);
        if inside { c.sandbox.get32(at) } else { 0 }
    }
}

/// A dword that is, or is in memory what may be, an image of EFLAGS.
pub fn may_be_flags(d: &Difference) -> bool {
    matches!(
        d.what,
        What::Field(record::EFLAGS | record::OWN_EFLAGS) | What::Memory(_)
    )
}

/// A dword of the stacks.
pub fn in_stacks(d: &Difference) -> bool {
    matches!(d.what, What::Memory(at) if (STACKS..STACKS + 4 * STACK_BYTES).contains(&at))
}

/// The rules for a case.
pub fn rules(case: &Case) -> impl Iterator<Item = &'static Rule> {
    let own = match case.long {
        Some(_) => LONG_RULES,
        None => LEGACY_RULES,
    };
    own.iter()
        .chain(COMMON_RULES)
        .chain(QEMU_RULES)
        .chain(WITNESSED_RULES)
}

/// All of them.
pub fn all_rules() -> impl Iterator<Item = &'static Rule> {
    LEGACY_RULES
        .iter()
        .chain(LONG_RULES)
        .chain(COMMON_RULES)
        .chain(QEMU_RULES)
        .chain(WITNESSED_RULES)
}

/// Those outside of long mode.
static LEGACY_RULES: &[Rule] = &[
    Rule {
        name: "error code of a task that begins beyond its code's limit",
        peers: BOTH,
        reason: "the error code is pushed on the new task's stack before EIP is held against the limit (SDM vol. 2, INT n, \
                 TASK-GATE); the double fault's switch saves the ESP behind that push, in the peers the one before it",
        explains: |s, d| {
            let esp = match d.what {
                What::Memory(at) => at == TSS_32 + 56 || at == TSS_16 + 24 || at == TSS_16 + 26,
                _ => false,
            };
            let pushed = d.theirs.wrapping_sub(d.ours);
            esp && s.vectors() == (DOUBLE_FAULT, DOUBLE_FAULT) && [2, 4, 2 << 16].contains(&pushed)
        },
    },
    Rule {
        name: "EIP of an IRET to virtual-8086 mode",
        peers: BOTH,
        reason: "an EIP beyond FFFFh is #GP(0) (SDM vol. 2, IRET, RETURN-TO-VIRTUAL-8086-MODE); the peers drop its upper half",
        explains: |s, _| {
            s.case.kind == Kind::InterruptReturn
                && s.case.cpl() == 0
                && s.we_fault_at_once(&[13])
                && s.on_stack(2) & EFLAGS_VM != 0
                && s.on_stack(0) > 0xFFFF
        },
    },
    Rule {
        name: "upper halves of a 16-bit task's registers",
        peers: BOTH,
        reason: "a 16-bit TSS holds the lower halves of the registers only (SDM vol. 3, section 7.6); ours keeps the upper ones, Bochs sets them",
        explains: |s, d| {
            let register = match d.what {
                What::Field(n) => {
                    matches!(n, record::ESP | record::CR2)
                        || (record::REGISTERS..record::REGISTERS + 8).contains(&n)
                }
                What::Memory(_) => in_stacks(d) || s.task_of_16_bits(),
                What::Lost => false,
            };
            let has_one = s.task_of_16_bits() || s.task_was_switched();
            register && has_one && d.ours & 0xFFFF == d.theirs & 0xFFFF && d.theirs >> 16 == 0xFFFF
        },
    },
    Rule {
        name: "the stack of a new task that cannot be loaded",
        peers: BOTH,
        reason: "an exception that comes up in a new task whose SS is not loaded yet has no stack to be pushed on: ours is a double fault; that #TS is to be handled by a task (SDM vol. 3, section 6.15, interrupt 10)",
        explains: |s, d| {
            let (ours, theirs) = s.vectors();
            // The double fault's task comes from the new one.
            let from = s.records().map_or(0, |(a, _)| a.fields[record::LINK]);
            // Pushed on no stack at all, it is a page fault on the way.
            let cr2 = theirs == DOUBLE_FAULT && d.what == What::Field(record::CR2);
            ours == DOUBLE_FAULT
                && ((10..=14).contains(&theirs) || cr2)
                && from & 0xFFF8 != u32::from(super::sandbox::MAIN_TASK)
        },
    },
    Rule {
        name: "which of a new task's faults comes first",
        peers: BOTH,
        reason: "the order of the checks of a task switch is model specific (SDM vol. 3, section 7.3, table 7-1); ours is the table's for P6 processors",
        explains: |s, _| {
            let (ours, theirs) = s.vectors();
            let place = s.records().is_some_and(|(a, b)| {
                a.fields[record::EIP] == b.fields[record::EIP]
                    && a.fields[record::TASK] == b.fields[record::TASK]
            });
            place
                && s.task_was_switched()
                && (10..=12).contains(&ours)
                && (10..=12).contains(&theirs)
        },
    },
    Rule {
        name: "a task state segment over its own descriptor",
        peers: BOTH,
        reason: "the descriptor is marked as busy before the state is loaded (SDM vol. 3, section 7.3, in the order of its steps), so that \
                 the mark is part of that state; the peers have read it before",
        explains: |s, d| {
            let from = s.ours().map_or(0, |r| r.fields[record::LINK]);
            let tss = super::case::base_of(s.case.sandbox.descriptor(from as u16));
            let over = (GDT..IDT).contains(&tss);
            matches!(d.what, What::Memory(GDT..IDT)) && d.ours ^ d.theirs == 0x200 && over
        },
    },
    Rule {
        name: "pushes before a fault",
        peers: BOTH,
        reason: "what a faulting instruction or delivery had pushed lies below the stack pointer, which has not moved; the manual checks the room first (SDM vol. 2, CALL, ENTER, PUSHA, INT n)",
        explains: |s, d| {
            let What::Memory(at) = d.what else {
                return false;
            };
            let (ours, theirs) = s.vectors();
            let untouched = untouched(s.case, at, d.ours, d.theirs);
            let stopped = ours == DOUBLE_FAULT || s.we_fault_at_once(&[12, 13, 14]);
            // Onto a stack, which is somewhere in the data where limits and pages are tried.
            let elsewhere = matches!(s.case.kind, Kind::Limit | Kind::Page) && at >= DATA;
            let pushed = in_stacks(d) || elsewhere || s.below_the_stack_of_a_task(at);
            ours == theirs && untouched && stopped && pushed
        },
    },
    Rule {
        name: "upper half of ESP on an inner stack of 16 bits",
        peers: BOTH,
        reason: "ESP is loaded from the TSS and pushed in full (SDM vol. 2, CALL, ESP := NewESP, Push(oldESP)); the peers replace or push SP alone",
        explains: |s, d| {
            let esp = match d.what {
                What::Field(n) => n == record::ESP || n == record::REGISTERS + 4,
                What::Memory(_) => in_stacks(d),
                What::Lost => false,
            };
            let Some((a, b)) = s.records() else {
                return false;
            };
            let ss = a.fields[record::SS];
            let small = |ss: u16| s.case.sandbox.descriptor(ss) >> 54 & 1 == 0;
            let small = small(ss as u16) || in_stacks(d) && small(s.case.ss);
            esp && small && ss == b.fields[record::SS] && d.ours & 0xFFFF == d.theirs & 0xFFFF
        },
    },
    Rule {
        name: "a new task's page tables are nowhere",
        peers: BOTH,
        reason: "CR3 of a new task leads behind the memory, or is one of the interrupt vectors, so that PAE's first table cannot be \
                 loaded; that the registers then keep what they had is said of MOV to a control register (SDM vol. 3, section \
                 4.4.1) and not of a task switch. Ours keeps it, and the double fault finds its task; in the peers no memory is \
                 left",
        explains: |s, d| {
            d.what == What::Lost
                && s.case.cr4 & super::case::CR4_PAE != 0
                && s.vectors().0 == DOUBLE_FAULT
                && s.theirs == &Outcome::Shutdown
                && s.failing_task_has_no_page_tables()
        },
    },
];

/// Those in every mode.
static COMMON_RULES: &[Rule] = &[
    Rule {
        name: "a case without end",
        peers: BOTH,
        reason: "its code has become a loop, in both machines; nothing is left to be compared",
        explains: |s, _| (s.ours, s.theirs) == (&Outcome::Silent, &Outcome::Silent),
    },
    Rule {
        name: "the word of the stack pointer in POPA",
        peers: BOCHS,
        reason: "it is skipped, not read (SDM vol. 2, POPA: the increment of ESP alone), so that no limit counts for it; a \
                 processor (Skylake) does not look at it. Bochs reads it",
        explains: |s, _| s.skips_beyond_the_limit() && s.end_with(3, 12),
    },
    Rule {
        name: "which item of a return's frame is read first",
        peers: BOCHS,
        reason: "the address comes first (SDM vol. 2, RET and IRET: EIP := Pop(), CS := Pop()), so that CR2 is its; Bochs reads CS \
                 first",
        explains: |s, d| {
            matches!(s.case.kind, Kind::FarReturn | Kind::InterruptReturn)
                && s.end_with(14, 14)
                && d.what == What::Field(record::CR2)
                && [2, 4, 8].contains(&d.theirs.wrapping_sub(d.ours))
        },
    },
    Rule {
        name: "accessed bit of the code of a delivery that faults",
        peers: BOCHS,
        reason: "it is set when the segment is loaded, and stays when the delivery ends in a double fault (SDM vol. 3, section \
                 3.4.5.1 says no more); Bochs checks the entry point before",
        explains: |s, d| {
            matches!(d.what, What::Memory(GDT..IDT))
                && s.case.kind == Kind::Interrupt
                && s.vectors() == (DOUBLE_FAULT, DOUBLE_FAULT)
                && d.ours == d.theirs | 0x100
        },
    },
    Rule {
        name: "limit that SGDT stores before an alignment check",
        peers: BOCHS,
        reason: "SGDT and SIDT store a word and a doubleword (SDM vol. 3, section 3.5.1); the second is misaligned. An alignment \
                 check is a fault, which leaves the state as before the instruction (section 6.5); Bochs has stored the word",
        explains: |s, d| {
            let What::Memory(at) = d.what else {
                return false;
            };
            let before = s.case.sandbox.get32(at);
            let limit =
                |v: u32| v == u32::from(s.case.gdt_limit) || v == u32::from(s.case.idt_limit);
            let stored = limit(d.theirs & 0xFFFF) && (d.theirs ^ before) >> 16 == 0
                || limit(d.theirs >> 16) && (d.theirs ^ before) & 0xFFFF == 0;
            s.case.kind == Kind::Alignment
                && s.we_fault_at_once(&[17])
                && s.they_end_with(17)
                && d.ours == before
                && stored
        },
    },
    Rule {
        name: "level before DR4",
        peers: BOCHS,
        reason: "MOV of DR4 or DR5 with CR4.DE above ring 0: a processor (Skylake) raises #GP, though table 6-2 of vol. 3 has \
                 undefined opcodes first",
        explains: |s, _| {
            let is_dr4 =
                |w: &[u8]| matches!(w[..2], [0x0F, 0x21 | 0x23]) && matches!(w[2] >> 3 & 7, 4 | 5);
            s.we_fault_at_once(&[13])
                && s.they_end_with(6)
                && s.case.cr4 & 8 != 0
                && s.case.code.windows(3).any(is_dr4)
        },
    },
    Rule {
        name: "upper half of a pushed selector",
        peers: BOTH,
        reason: "a selector that is pushed as a dword leaves the upper word alone or clears it, as the processor likes (SDM vol. 2, PUSH; vol. 3, section 6.12.1)",
        explains: |s, d| {
            let What::Memory(at) = d.what else {
                return false;
            };
            let before = s.case.sandbox.get32(at) >> 16;
            let halves = [d.ours >> 16, d.theirs >> 16];
            d.ours & 0xFFFF == d.theirs & 0xFFFF && halves.contains(&0) && halves.contains(&before)
        },
    },
    Rule {
        name: "bits 19 to 16 of LAR's result",
        peers: BOTH,
        reason: "undefined (SDM vol. 2, LAR: the mask is 00FxFF00H)",
        explains: |s, d| {
            matches!(d.what, What::Field(n) if (record::REGISTERS..record::SEGMENTS).contains(&n))
                && matches!(s.case.kind, Kind::Query | Kind::Privileged)
                && (d.ours ^ d.theirs) & !0x000F_0000 == 0
        },
    },
    Rule {
        name: "RF after an iteration of a string instruction",
        peers: BOTH,
        reason: "a trap between iterations pushes RF as 1 (SDM vol. 3, section 17.3.1.1)",
        explains: |s, d| {
            may_be_flags(d)
                && s.case
                    .code
                    .first()
                    .is_some_and(|c| [0xF2, 0xF3].contains(c))
                && s.end_with(1, 1)
                && d.ours ^ d.theirs == RF
                && d.ours & RF != 0
        },
    },
    Rule {
        name: "VIP and VIF with IOPL 3",
        peers: BOCHS,
        reason: "virtual interrupts are in force only below IOPL 3 (SDM vol. 3, sections 20.3 and 20.4); Bochs faults",
        explains: |s, _| {
            s.case.cr4 & 3 != 0
                && s.case.eflags & VIF_VIP == VIF_VIP
                && s.case.eflags >> 12 & 3 == 3
                && s.they_end_with(13)
        },
    },
    Rule {
        name: "flags of a comparing string instruction that faults",
        peers: BOTH,
        reason: "they are restored to those before the instruction (SDM vol. 2, REP)",
        explains: |s, d| {
            let comparing = matches!(
                s.case.code[..],
                [0x67, 0xF2 | 0xF3, 0xA6 | 0xA7 | 0xAE | 0xAF]
                    | [0xF2 | 0xF3, 0xA6 | 0xA7 | 0xAE | 0xAF]
            );
            may_be_flags(d) && comparing && s.we_fault_at_once(&[12, 13, 14])
        },
    },
    Rule {
        name: "DR7.RTM",
        peers: BOTH,
        reason: "bit 11 is there with transactional memory only (SDM vol. 3, section 17.3.3), which the peers' models have",
        explains: |_, d| d.what == What::Field(record::DR7) && d.ours ^ d.theirs == 1 << 11,
    },
];
