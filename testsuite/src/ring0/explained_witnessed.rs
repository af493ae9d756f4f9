//! What QEMU does where only a second witness settles it.
//!
//! [`WITNESSED_RULES`] name instructions and outcomes, and hold only where every other peer was run too, ends as ours does and
//! has our value: two against one. `--peers qemu` alone is not settled for that reason.

use super::case::{CR4_SMAP, EFLAGS_VM, Kind};
use super::compare::What;
use super::explained::{DOUBLE_FAULT, QEMU, RF, Rule, in_stacks, may_be_flags};
use super::explained_qemu::{R11, STATUS_FLAGS, VIF_VIP};
use super::layout::*;
use super::record::Outcome;
use super::sandbox::Sandbox;
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
                Outcome::Recorded(b) => {
                    b.vector() == 14 && b.fields[record::ERROR] & 4 == 0
                        || b.vector() == DOUBLE_FAULT && s.case.cr4 & CR4_SMAP != 0
                }
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
                    && at.wrapping_sub(whole & 0xFFFF) <= 1
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
        name: "witnessed: what LTR, MOV SS, LSS and CLFLUSH refuse",
        peers: QEMU,
        reason: "LTR of a null selector, and MOV and LSS of one to SS whose RPL is not the level, are #GP(0); CLFLUSH has the exceptions of a read of a byte \
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
                [0x0F, 0xB2, ..] => long_ss && (ours, error) == (13, 0),
                _ => false,
            };
            about && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: MOV to DR7 outside of 64-bit mode",
        peers: QEMU,
        reason: "it has 32 bits there (SDM vol. 2, MOV), so that bits 63 to 32, which must be 0, are none of the register; QEMU looks at them",
        explains: |s, d| {
            let about = matches!(s.opcode(), [0x0F, 0x23, ..]);
            // Of what is loaded Bochs has RTM's bit otherwise.
            let loaded = d.what == What::Field(record::DR7);
            let refused = !s.case.is_64_bit() && s.they_end_with(13);
            about && refused && (loaded || s.is_witnessed(d))
        },
    },
    Rule {
        name: "witnessed: ENTER",
        peers: QEMU,
        reason: "with a 16-bit stack EBP takes all of ESP (SDM vol. 2, ENTER: FrameTemp), a write where the stack pointer ends that would be a \
                 fault is one (#SS, #PF), and where nothing answers all ones are read; QEMU takes SP by the size of the stack or of the \
                 operand, writes nothing there, and reads zeros",
        explains: |s, d| {
            let about = matches!(s.opcode(), [0xC8, ..]);
            about && (s.same_end() || s.we_refuse(&[12, 13, 14])) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: a handler that is not canonical",
        peers: QEMU,
        reason: "it is #GP(0) of the delivery (SDM vol. 2, INT n, TRAP-INTERRUPT-GATE in IA-32e mode), before anything is pushed; QEMU goes there",
        explains: |s, d| {
            let there = s.records().is_some_and(|(_, b)| {
                let upper = b.fields[record::EIP_UPPER] as i32 >> 15;
                !matches!(upper, 0 | -1)
            });
            let about = s.case.kind == Kind::Interrupt && s.end_with(13, 13);
            about && there && s.is_witnessed(d)
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
            let refused = matches!(s.vectors().0, 13 | DOUBLE_FAULT);
            about && (refused || d.what == What::Lost) && s.is_witnessed(d)
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
                [0x0F, 0x23, ..] => s.they_end_with(13),
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
                && s.they_end_with(13)
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
                let apart = a.fields[record::CR2].wrapping_sub(b.fields[record::CR2]) as i32;
                (1..32).contains(&apart.unsigned_abs())
            });
            let place = matches!(
                d.what,
                What::Field(record::CR2 | record::ERROR) | What::Memory(STACKS..DIRECTORY)
            );
            let about = matches!(s.case.kind, Kind::Page | Kind::Limit);
            let one = about && s.we_fault_at_once(&[14]) && s.same_end();
            let compares = matches!(s.opcode(), [0xA6 | 0xA7, ..]) && s.we_fault_at_once(&[14]);
            (one && close && place || compares) && s.is_witnessed(d)
        },
    },
    Rule {
        name: "witnessed: behind a transfer to nowhere",
        peers: QEMU,
        reason: "a transfer to an address that no case has prepared leads through whatever stands there until something faults: the limit \
                 of the code (SDM vol. 3, section 5.3), which QEMU holds against no fetch, or an instruction with any of the differences \
                 above",
        explains: |s, d| {
            let (at, cs) = s
                .ours()
                .map_or((0, 0), |r| (r.fields[record::EIP], r.fields[record::CS]));
            let moved = (at, cs) != (s.case.eip, s.case.cs.into()) && s.vectors().0 != 3;
            (s.is_near_transfer() || s.is_transfer()) && moved && s.is_witnessed(d)
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
