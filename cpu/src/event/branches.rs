//! IA32_DEBUGCTL, last-branch records, and single-stepping on branches.
//!
//! SDM vol. 3, chapter 18: "IA32_DEBUGCTL MSR", "LBR Stack", "Single-Stepping on Branches", and the sections of the P6 family,
//! Core 2, Nehalem, Sandy Bridge, Haswell and Skylake; vol. 4; AMD, "AMD64 Architecture Programmer's Manual", volume 2, 24593,
//! section 13.1.1.6.
//!
//! While branches are recorded, or TF steps from one to the next, instructions are executed one by one, and each is decoded
//! once more to tell what kind of branch it is.
//!
//! **Not implemented**: branch trace messages, the branch trace store, the P6's and AMD's breakpoint pins (their bits are
//! held), call-stack mode (bit 9 of MSR_LBR_SELECT), the Pentium 4's records, freezing in system management mode.
//! **Known inaccuracies**: a conditional or far branch to the instruction behind it never counts as taken; no branch is ever
//! mispredicted; the Core 2's capabilities name linear addresses, but its records hold instruction pointers; Skylake's count
//! of cycles is one of instructions.

use crate::block::Block;
use crate::interpreter::Interpreter;
use crate::models::{Branches, CpuModel};
use emu_core::x86::BranchRecords;
use iced_x86::{Decoder, DecoderOptions, FlowControl, Mnemonic};
use std::ptr::NonNull;

/// IA32_DEBUGCTL: branches are recorded.
const LBR: u64 = 1 << 0;
/// TF traps behind branches only.
const BTF: u64 = 1 << 1;
/// What the pins show (P6, AMD).
const PINS: u64 = 0xF << 2;
/// An interrupt of a performance counter clears LBR.
const FREEZE_RECORDS: u64 = 1 << 11;
/// An interrupt of a performance counter clears IA32_PERF_GLOBAL_CTRL.
const FREEZE_COUNTERS: u64 = 1 << 12;
/// MSR_LBR_SELECT: its bits. Bit 0 and 1 leave out what ends at level 0 and at the others, 2 to 8 the kinds.
const SELECT_BITS: u64 = 0x1FF;
/// Bits of the count of cycles in Skylake's MSR_LBR_INFO.
const CYCLES_MAX: u64 = 0xFFFF;

/// A register.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Register {
    Control,
    Select,
    Top,
    From(usize),
    To(usize),
    Info(usize),
    ExceptionFrom,
    ExceptionTo,
}

/// A kind of branch: the bit of MSR_LBR_SELECT that leaves it out.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Kind {
    Conditional = 2,
    RelativeCall = 3,
    IndirectCall = 4,
    Return = 5,
    IndirectJump = 6,
    RelativeJump = 7,
    Far = 8,
}

/// A branch that is about to be executed.
#[derive(Copy, Clone, Debug)]
pub struct Branch {
    kind: Kind,
    from: u64,
    /// Where a conditional one goes on if it is not taken.
    behind: u64,
}

/// The register of a model behind a number.
pub fn register(model: &CpuModel, msr: u32) -> Option<Register> {
    use Register as R;
    let (depth, [from, to, info]) = match model.branches {
        Branches::None => return None,
        Branches::Last => {
            return Some(match msr {
                0x1D9 => R::Control,
                0x1DB => R::From(0),
                0x1DC => R::To(0),
                0x1DD => R::ExceptionFrom,
                0x1DE => R::ExceptionTo,
                _ => return None,
            });
        }
        Branches::Stack { depth, numbers, .. } => (depth, numbers),
    };
    let among = |first: u32| {
        let place = msr.wrapping_sub(first);
        (first != 0 && place < depth).then_some(place as usize)
    };
    Some(match msr {
        0x1C8 if model.branches.has_select() => R::Select,
        0x1C9 => R::Top,
        0x1D9 => R::Control,
        0x1DD => R::ExceptionFrom,
        0x1DE => R::ExceptionTo,
        _ => among(from)
            .map(R::From)
            .or(among(to).map(R::To))
            .or(among(info).map(R::Info))?,
    })
}

fn place(b: &mut BranchRecords, register: Register) -> &mut u64 {
    match register {
        Register::Control => &mut b.control,
        Register::Select => &mut b.select,
        Register::Top => &mut b.top,
        Register::From(n) => &mut b.from[n],
        Register::To(n) => &mut b.to[n],
        Register::Info(n) => &mut b.info[n],
        Register::ExceptionFrom => &mut b.exception_from,
        Register::ExceptionTo => &mut b.exception_to,
    }
}

impl Interpreter {
    /// RDMSR.
    pub(crate) fn read_branch_register(&mut self, register: Register) -> u64 {
        *place(&mut self.msr.branches, register)
    }

    /// WRMSR; false: it faults.
    pub(crate) fn write_branch_register(&mut self, register: Register, value: u64) -> bool {
        let known = match (register, self.model.branches) {
            (Register::Control, Branches::Stack { .. }) => {
                LBR | BTF | FREEZE_RECORDS | FREEZE_COUNTERS
            }
            (Register::Control, _) => LBR | BTF | PINS,
            (_, Branches::None | Branches::Last) => return false,
            (Register::Select, _) => SELECT_BITS,
            (Register::Top, Branches::Stack { depth, .. }) => u64::from(depth) - 1,
            _ => u64::MAX,
        };
        if value & !known != 0 {
            return false;
        }
        *place(&mut self.msr.branches, register) = value;
        self.update_care();
        true
    }

    /// Derives whether instructions must be executed one by one for longer than one of them.
    pub(crate) fn update_care(&mut self) {
        self.one_by_one = self.virtual_interrupt_due || self.msr.branches.control & LBR != 0;
    }

    /// #DB ends recording, so that its handler finds what led to it, and stepping on branches.
    pub(crate) fn stop_recording(&mut self) {
        self.msr.branches.control &= !(LBR | BTF);
        self.update_care();
    }

    /// What an interrupt of a performance counter freezes.
    pub(crate) fn freeze(&mut self) {
        let control = self.msr.branches.control;
        if control & FREEZE_RECORDS != 0 {
            self.msr.branches.control &= !LBR;
            self.update_care();
        }
        if control & FREEZE_COUNTERS != 0 {
            self.msr.performance.global_control = 0;
            self.counters_changed();
        }
    }

    /// The branch that a block begins with, if somebody wants to know.
    pub(crate) fn wanted_branch(&self, block: NonNull<Block>) -> Option<Branch> {
        if self.msr.branches.control & (LBR | BTF) == 0 {
            return None;
        }
        let (bytes, len) = self.first_bytes(block);
        let bits = crate::interpreter::mode::code_bits(self.mode);
        let mut decoder = Decoder::with_ip(bits, &bytes[..len], self.rip, DecoderOptions::NONE);
        let insn = decoder.decode();
        let kind = match insn.flow_control() {
            FlowControl::Next | FlowControl::Exception | FlowControl::XbeginXabortXend => {
                return None;
            }
            FlowControl::ConditionalBranch => Kind::Conditional,
            FlowControl::UnconditionalBranch if insn.is_jmp_short_or_near() => Kind::RelativeJump,
            FlowControl::IndirectBranch if insn.is_jmp_near_indirect() => Kind::IndirectJump,
            FlowControl::Call if insn.is_call_near() => Kind::RelativeCall,
            FlowControl::IndirectCall if insn.is_call_near_indirect() => Kind::IndirectCall,
            FlowControl::Return if insn.mnemonic() == Mnemonic::Ret => Kind::Return,
            _ => Kind::Far,
        };
        Some(Branch {
            kind,
            from: self.rip,
            behind: self.wrap_rip(self.rip.wrapping_add(len as u64)),
        })
    }

    /// Whether a branch that was executed was taken; it is recorded then.
    pub(crate) fn finish_branch(&mut self, branch: Option<Branch>) -> bool {
        let Some(b) = branch else { return false };
        // INTO is a far one with a condition.
        if matches!(b.kind, Kind::Conditional | Kind::Far) && self.rip == b.behind {
            return false;
        }
        self.record(b.kind, b.from);
        true
    }

    /// Whether TF traps only behind branches.
    pub(crate) fn steps_on_branches(&self) -> bool {
        self.msr.branches.control & BTF != 0
    }

    /// An exception or interrupt (`before`: not by an instruction made for it) has led from an address to the present one.
    pub(crate) fn record_delivery(&mut self, from: u64, before: bool) {
        let r = &mut self.msr.branches;
        if r.control & LBR == 0 {
            return;
        }
        if before {
            let top = r.top as usize % r.from.len();
            (r.exception_from, r.exception_to) = (r.from[top], r.to[top]);
        }
        self.record(Kind::Far, from);
    }

    fn record(&mut self, kind: Kind, from: u64) {
        let (to, cpl, now) = (self.rip, self.cpl, self.instructions_so_far());
        let depth = match self.model.branches {
            Branches::Stack { depth, .. } => u64::from(depth),
            Branches::Last | Branches::None => 1,
        };
        let r = &mut self.msr.branches;
        let level = if cpl == 0 { 1 } else { 2 };
        if r.control & LBR == 0 || r.select & (level | 1 << kind as u32) != 0 {
            return;
        }
        r.top = (r.top % depth + 1) % depth;
        let top = r.top as usize;
        (r.from[top], r.to[top]) = (from, to);
        r.info[top] = now.wrapping_sub(r.recorded_at).min(CYCLES_MAX);
        r.recorded_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::model;
    use crate::tests::Board;
    use emu_core::backend::{CpuBackend, CpuId, Exit};
    use emu_core::x86::{CpuState, Gpr, Rflags, Selector};

    /// Real mode, all segments at 0, at 1000h; interrupts 1, 3 and 40h lead to HLT at 3000h, 3010h and 3020h.
    fn run(name: &str, code: &[u8], insns: u64, change: impl Fn(&mut CpuState)) -> CpuState {
        let mut s = model(name).reset_state();
        for segment in &mut s.segments {
            segment.selector = Selector(0);
            segment.base = 0;
        }
        s.rip = 0x1000;
        s.gpr[Gpr::Rsp as usize] = 0x8000;
        s.msr.branches.control = LBR;
        change(&mut s);
        let mut board = Board::new(code);
        for (vector, to) in [(1, 0x3000u16), (3, 0x3010), (0x40, 0x3020)] {
            board.ram[0].write(4 * vector, &to.to_le_bytes());
            board.ram[0].write(to.into(), &[0xF4]);
        }
        board.stop_at = insns;
        let mut cpu = Interpreter::new(CpuId(0), model(name));
        cpu.set_state(&s);
        assert!(matches!(
            cpu.run(&mut board, None),
            Exit::SliceEnd | Exit::Halted
        ));
        cpu.state()
    }

    /// cmp ax,ax; jne $+4; je $+4; (two bytes skipped); jmp $+4; (two); call $+5; nop; ret behind, at 1012h.
    const CODE: &[u8] = &[
        0x39, 0xC0, 0x75, 0x02, 0x74, 0x02, 0x90, 0x90, 0xEB, 0x02, 0x90, 0x90, 0xE8, 0x03, 0,
        0xF4, 0x90, 0x90, 0xC3,
    ];
    const TAKEN: [(u64, u64); 4] = [
        (0x1004, 0x1008),
        (0x1008, 0x100C),
        (0x100C, 0x1012),
        (0x1012, 0x100F),
    ];

    #[test]
    fn taken_branches_go_round_the_stack_and_the_top_names_the_last() {
        for (name, depth) in [
            ("core2", 4),
            ("nehalem", 16),
            ("haswell", 16),
            ("skylake", 32),
        ] {
            let s = run(name, CODE, 20, |s| s.msr.branches.top = depth - 2);
            let r = s.msr.branches;
            // Four of them: from the place behind the top, round to the second.
            assert_eq!(r.top, 2, "{name}");
            for (n, (from, to)) in TAKEN.into_iter().enumerate() {
                let at = ((depth - 1 + n as u64) % depth) as usize;
                assert_eq!((r.from[at], r.to[at]), (from, to), "{name}");
            }
        }
    }

    #[test]
    fn the_p6_and_amds_keep_the_last_one_and_the_last_before_an_interrupt() {
        for name in ["p6", "pentium3", "athlon", "epyc"] {
            let r = run(name, CODE, 20, |_| ()).msr.branches;
            assert_eq!((r.from[0], r.to[0], r.top), (0x1012, 0x100F, 0), "{name}");
            // jmp $+2; into with OF clear; ud2, which vector 6 takes to 0.
            let r = run(name, &[0xEB, 0, 0xCE, 0x0F, 0x0B], 3, |_| ())
                .msr
                .branches;
            assert_eq!((r.from[0], r.to[0]), (0x1003, 0), "{name}");
            assert_eq!(
                (r.exception_from, r.exception_to),
                (0x1000, 0x1002),
                "{name}"
            );
        }
    }

    #[test]
    fn nothing_is_recorded_while_lbr_is_clear_or_the_kind_is_left_out() {
        let r = run("max", CODE, 20, |s| s.msr.branches.control = 0)
            .msr
            .branches;
        assert_eq!(r, BranchRecords::default());
        // JCC, CALL, RET, JMP; level 0; far ones.
        for (select, left) in [
            (4, 3),
            (8, 3),
            (0x20, 3),
            (0x80, 3),
            (1, 0),
            (2, 4),
            (0x100, 4),
        ] {
            let r = run("max", CODE, 20, |s| s.msr.branches.select = select)
                .msr
                .branches;
            assert_eq!(r.top, left, "{select:X}");
        }
    }

    #[test]
    fn a_debug_exception_ends_recording_in_front_of_its_own_branch() {
        // int1: as by a breakpoint.
        let r = run("max", &[0xEB, 0, 0xF1], 3, |s| {
            s.msr.branches.control |= BTF
        })
        .msr
        .branches;
        assert_eq!((r.control, r.top), (0, 1));
        assert_eq!((r.from[1], r.to[1]), (0x1000, 0x1002));
        // int 40h is a branch, and recording goes on.
        let r = run("max", &[0xCD, 0x40], 2, |_| ()).msr.branches;
        assert_eq!((r.control, r.from[1], r.to[1]), (LBR, 0x1000, 0x3020));
    }

    #[test]
    fn with_btf_tf_traps_behind_the_next_taken_branch_only() {
        for name in ["p6", "max", "epyc"] {
            let s = run(name, CODE, 20, |s| {
                s.msr.branches.control = BTF;
                s.rflags |= Rflags::TF;
            });
            // Not behind CMP and JNE; BTF is cleared. The frame: where it goes on.
            assert_eq!((s.rip, s.dr6 & 0x4000), (0x3001, 0x4000), "{name}");
            assert_eq!(s.msr.branches.control, 0);
            // And HLT.
            assert_eq!(s.retired, 4, "{name}");
        }
    }

    #[test]
    fn each_model_has_the_registers_of_its_chip_and_they_refuse_reserved_bits() {
        // DEBUGCTL, P6's from, Core 2's from, select, Nehalem's from, the 17th, info.
        let msrs = [0x1D9, 0x1DB, 0x40, 0x1C8, 0x680, 0x690, 0xDC0];
        for (name, there) in [
            ("pentium", "-------"),
            ("p6", "xx-----"),
            ("athlon", "xx-----"),
            ("pentium4", "-------"),
            ("core2", "x-x----"),
            ("nehalem", "x--xx--"),
            ("skylake", "x--xxxx"),
            ("max", "x--xx--"),
        ] {
            let has = |n: &u32| {
                if register(model(name), *n).is_some() {
                    'x'
                } else {
                    '-'
                }
            };
            assert_eq!(msrs.iter().map(has).collect::<String>(), there, "{name}");
        }
        for (name, register, value, taken) in [
            ("p6", Register::Control, 0x3F, true),
            ("p6", Register::Control, 0x40, false),
            ("p6", Register::From(0), 0, false),
            ("max", Register::Control, 0x1803, true),
            ("max", Register::Control, 0x80, false),
            ("max", Register::Top, 15, true),
            ("max", Register::Top, 16, false),
            ("max", Register::Select, 0x1FF, true),
            ("max", Register::Select, 0x200, false),
            ("max", Register::To(3), u64::MAX, true),
        ] {
            let mut cpu = Interpreter::new(CpuId(0), model(name));
            let done = cpu.write_branch_register(register, value);
            assert_eq!(done, taken, "{name} {register:?} {value:X}");
            assert_eq!(
                cpu.read_branch_register(register),
                if taken { value } else { 0 }
            );
        }
    }

    #[test]
    fn an_interrupt_of_a_counter_freezes_what_is_to_be_frozen() {
        let s = run("max", CODE, 20, |s| {
            s.msr.branches.control = LBR | FREEZE_RECORDS | FREEZE_COUNTERS;
            s.msr.performance.select[..2].copy_from_slice(&[0x52_00C0, 0x42_00C0]);
            s.msr.performance.values[0] = (1 << 48) - 4;
        });
        // CMP, JNE, JE, JMP.
        assert_eq!(s.msr.branches.top, 2);
        assert_eq!(s.msr.branches.control, FREEZE_RECORDS | FREEZE_COUNTERS);
        assert_eq!(s.msr.performance.values[..2], [0, 4]);
        assert_eq!(s.msr.performance.global_control, 0);
    }
}
