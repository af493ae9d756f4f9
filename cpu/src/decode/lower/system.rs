//! Segment registers, far transfers, interrupts, control registers, I/O.

use super::{Lowering, register, segment};
use crate::alu::Int;
use crate::event::smm::Rsm;
use crate::exec::counters::Rdpmc;
use crate::exec::cpuid::Cpuid;
use crate::exec::desc::{
    Arpl, FromSegment, Global, Interrupts, Lar, Lldt, LoadFar, LoadTable, Lsl, Ltr, PopCs,
    PopSegment, PushSegment, Sldt, Store, StoreTable, Stored, Str, Take, Taken, ToSegment, Verr,
    Verw,
};
use crate::exec::far::{CallFar, CallFarTo, Iret, JmpFar, JmpFarTo, RetFar};
use crate::exec::io::{Dx, Immediate, In, Out};
use crate::exec::long::{
    Invpcid, OutsideLongMode, Rdpkru, Rdtscp, ReadBase, SetAc, Swapgs, Syscall, SyscallLegacy,
    Sysret, SysretLegacy, WriteBase, Wrpkru,
};
use crate::exec::monitor::{Monitor, Mwait};
use crate::exec::msr::{Rdmsr, Wrmsr};
use crate::exec::operand::{B, Mem};
use crate::exec::random::RandomNumber;
use crate::exec::system::{
    Bound, Cli, Clts, FromControl, FromDebug, Hlt, Int_, Int1, Int3, Into_, Invlpg, Lmsw, Popf,
    Pushf, Rdtsc, Smsw, Sti, Sysenter, Sysexit, ToControl, ToDebug, WriteBack,
};
use crate::mem::address::{self, Segmented};
use crate::models::Traits;
use emu_core::x86::Seg;
use iced_x86::{Code, Mnemonic as M, OpKind, Register};

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    let amd = l.model.is_amd();
    match l.insn.mnemonic() {
        M::Mov => return mov(l),
        M::Push => return push(l),
        M::Pop => return pop(l),
        M::Lds => far_pointer(l, Seg::Ds),
        M::Les => far_pointer(l, Seg::Es),
        M::Lfs => far_pointer(l, Seg::Fs),
        M::Lgs => far_pointer(l, Seg::Gs),
        M::Lss => far_pointer(l, Seg::Ss),
        M::Jmp | M::Call => return far_branch(l),
        M::Retf => {
            let extra = if l.insn.op_count() == 1 {
                i32::from(l.insn.immediate16())
            } else {
                0
            };
            match l.insn.code() {
                Code::Retfw | Code::Retfw_imm16 => l.emit::<RetFar<u16>>(0, 0, extra),
                Code::Retfq | Code::Retfq_imm16 => l.emit::<RetFar<u64>>(0, 0, extra),
                _ => l.emit::<RetFar<u32>>(0, 0, extra),
            }
            l.ends_block = true;
        }
        M::Iret => last::<Iret<u16>>(l),
        M::Iretd => last::<Iret<u32>>(l),
        M::Iretq => last::<Iret<u64>>(l),
        M::Int => {
            let vector = i32::from(l.insn.immediate8());
            l.emit::<Int_>(0, 0, vector);
            l.ends_block = true;
        }
        M::Int3 => last::<Int3>(l),
        M::Int1 => last::<Int1>(l),
        M::Into => l.emit::<Into_>(0, 0, 0),
        M::Bound => {
            let a = l.reg(0);
            if l.insn.code() == Code::Bound_r16_m1616 {
                l.emit_memory::<Bound<u16>>(a);
            } else {
                l.emit_memory::<Bound<u32>>(a);
            }
        }
        M::Sldt => store::<Sldt>(l, 0),
        M::Str => store::<Str>(l, 0),
        M::Smsw => store::<Smsw>(l, 0),
        M::Lldt => take::<Lldt>(l, 0, 0),
        M::Ltr => take::<Ltr>(l, 0, 0),
        M::Verr => take::<Verr>(l, 0, 0),
        M::Verw => take::<Verw>(l, 0, 0),
        M::Lmsw => {
            take::<Lmsw>(l, 0, 0);
            l.ends_block = true;
        }
        M::Lar => match l.operand_bytes(0) {
            2 => selector_query::<Lar<u16, B>, Lar<u16, Mem<Segmented>>>(l),
            _ => selector_query::<Lar<u32, B>, Lar<u32, Mem<Segmented>>>(l),
        },
        M::Lsl => match l.operand_bytes(0) {
            2 => selector_query::<Lsl<u16, B>, Lsl<u16, Mem<Segmented>>>(l),
            _ => selector_query::<Lsl<u32, B>, Lsl<u32, Mem<Segmented>>>(l),
        },
        M::Arpl => {
            let a = l.reg(1);
            if l.is_memory(0) {
                l.emit_memory::<Arpl<Mem<Segmented>>>(a);
            } else {
                l.emit::<Arpl<B>>(a, l.reg(0), 0);
            }
        }
        M::Sgdt => l.emit_memory::<StoreTable<Global>>(0),
        M::Sidt => l.emit_memory::<StoreTable<Interrupts>>(0),
        M::Lgdt if l.insn.code() == Code::Lgdt_m1632_16 => {
            l.emit_memory::<LoadTable<Global, false>>(0);
        }
        M::Lgdt => l.emit_memory::<LoadTable<Global, true>>(0),
        M::Lidt if l.insn.code() == Code::Lidt_m1632_16 => {
            l.emit_memory::<LoadTable<Interrupts, false>>(0);
        }
        M::Lidt => l.emit_memory::<LoadTable<Interrupts, true>>(0),
        M::Invlpg => l.emit_memory::<Invlpg>(0),
        M::Pushf => l.emit::<Pushf<u16>>(0, 0, 0),
        M::Pushfd => l.emit::<Pushf<u32>>(0, 0, 0),
        M::Pushfq => l.emit::<Pushf<u64>>(0, 0, 0),
        M::Popf => last::<Popf<u16>>(l),
        M::Popfd => last::<Popf<u32>>(l),
        M::Popfq => last::<Popf<u64>>(l),
        M::Cli => l.emit::<Cli>(0, 0, 0),
        M::Sti => last::<Sti>(l),
        M::Hlt => last::<Hlt>(l),
        M::Rsm => last::<Rsm>(l),
        M::Clts => last::<Clts>(l),
        M::Invd | M::Wbinvd => l.emit::<WriteBack>(0, 0, 0),
        M::Rdtsc => l.emit::<Rdtsc>(0, 0, 0),
        M::Rdpmc => l.emit::<Rdpmc>(0, 0, 0),
        M::Rdmsr => l.emit::<Rdmsr>(0, 0, 0),
        M::Wrmsr => last::<Wrmsr>(l),
        M::Cpuid => l.emit::<Cpuid>(0, 0, 0),
        M::Sysenter if amd => last::<OutsideLongMode<Sysenter, false>>(l),
        M::Sysexit if amd => last::<OutsideLongMode<Sysexit<false>, true>>(l),
        M::Sysexitq if amd => last::<OutsideLongMode<Sysexit<true>, true>>(l),
        M::Sysenter => last::<Sysenter>(l),
        M::Sysexit => last::<Sysexit<false>>(l),
        M::Sysexitq => last::<Sysexit<true>>(l),
        M::Syscall if amd && !l.is_64_bit() => last::<SyscallLegacy>(l),
        M::Sysret if amd && !l.is_64_bit() => last::<SysretLegacy>(l),
        M::Syscall => last::<Syscall>(l),
        M::Sysret => last::<Sysret<false>>(l),
        M::Sysretq => last::<Sysret<true>>(l),
        M::Swapgs => l.emit::<Swapgs>(0, 0, 0),
        M::Rdfsbase => by_wide!(l, T => l.emit::<ReadBase<T>>(l.reg(0), Seg::Fs as u8, 0)),
        M::Rdgsbase => by_wide!(l, T => l.emit::<ReadBase<T>>(l.reg(0), Seg::Gs as u8, 0)),
        M::Wrfsbase => by_wide!(l, T => l.emit::<WriteBase<T>>(l.reg(0), Seg::Fs as u8, 0)),
        M::Wrgsbase => by_wide!(l, T => l.emit::<WriteBase<T>>(l.reg(0), Seg::Gs as u8, 0)),
        M::Rdtscp => l.emit::<Rdtscp>(0, 0, 0),
        M::Invpcid => {
            let a = l.reg(0);
            l.emit_memory::<Invpcid>(a);
            l.ends_block = true;
        }
        M::Clac => l.emit::<SetAc<false>>(0, 0, 0),
        M::Stac => l.emit::<SetAc<true>>(0, 0, 0),
        M::Rdpkru => l.emit::<Rdpkru>(0, 0, 0),
        M::Wrpkru => l.emit::<Wrpkru>(0, 0, 0),
        M::Rdrand | M::Rdseed => by_width!(l, 0, T => l.emit::<RandomNumber<T>>(l.reg(0), 0, 0)),
        M::Monitor => monitor(l),
        M::Mwait => last::<Mwait>(l),
        M::In => input(l),
        M::Out => output(l),
        _ => return false,
    }
    true
}

/// An instruction without operands that ends its block.
fn last<I: crate::op::Instruction>(l: &mut Lowering<'_>) {
    l.emit::<I>(0, 0, 0);
    l.ends_block = true;
}

/// MONITOR: the memory operand is implied, DS:(E)AX or what overrides DS.
fn monitor(l: &mut Lowering<'_>) {
    let (base, bits) = match l.insn.code() {
        Code::Monitorw => (Register::AX, 16),
        Code::Monitord => (Register::EAX, 32),
        _ => (Register::RAX, 64),
    };
    let seg = match (segment(l.insn.segment_prefix()), l.is_64_bit()) {
        (seg @ (Seg::Fs | Seg::Gs), _) => seg,
        (_, true) => Seg::Ds,
        _ if !l.insn.has_segment_prefix() => Seg::Ds,
        (seg, false) => seg,
    };
    let d = address::encode(0, seg, bits);
    l.emit_based::<Monitor>(register(base), d);
}

/// Whether the block must end: SS may change the mode of the stack and casts a shadow.
fn after_load(l: &mut Lowering<'_>, seg: Seg) {
    if seg == Seg::Ss {
        l.ends_block = true;
    }
}

fn mov(l: &mut Lowering<'_>) -> bool {
    let of = |l: &Lowering<'_>, n: u32| match l.insn.op_kind(n) {
        OpKind::Register => l.insn.op_register(n),
        _ => Register::None,
    };
    let (to, from) = (of(l, 0), of(l, 1));
    if from.is_segment_register() {
        store::<FromSegment>(l, segment(from) as u8);
    } else if to.is_segment_register() {
        let seg = segment(to);
        if seg == Seg::Cs {
            return false;
        }
        take::<ToSegment>(l, 1, seg as u8);
        after_load(l, seg);
    } else if from.is_cr() && control(l, from) {
        l.emit::<FromControl>(l.reg(0), from.number() as u8, 0);
    } else if to.is_cr() && control(l, to) {
        l.emit::<ToControl>(l.reg(1), to.number() as u8, 0);
        l.ends_block = true;
    } else if from.is_dr() && from.number() < 8 {
        l.emit::<FromDebug>(l.reg(0), from.number() as u8, 0);
    } else if to.is_dr() && to.number() < 8 {
        l.emit::<ToDebug>(l.reg(1), to.number() as u8, 0);
        l.ends_block = true;
    } else {
        return false;
    }
    true
}

/// The control registers that exist; CR8 only where REX can name it, or LOCK can.
fn control(l: &Lowering<'_>, r: Register) -> bool {
    match r.number() {
        0 | 2 | 3 => true,
        4 => l.model.cr4 != 0,
        8 => l.is_64_bit() || l.model.traits.contains(Traits::ALTERNATE_CR8),
        _ => false,
    }
}

fn push(l: &mut Lowering<'_>) -> bool {
    let r = l.insn.op0_register();
    if l.insn.op0_kind() != OpKind::Register || !r.is_segment_register() {
        return false;
    }
    let seg = segment(r) as u8;
    match l.insn.stack_pointer_increment() {
        -2 => l.emit::<PushSegment<u16>>(seg, 0, 0),
        -8 => l.emit::<PushSegment<u64>>(seg, 0, 0),
        _ => l.emit::<PushSegment<u32>>(seg, 0, 0),
    }
    true
}

fn pop(l: &mut Lowering<'_>) -> bool {
    let r = l.insn.op0_register();
    if l.insn.op0_kind() != OpKind::Register || !r.is_segment_register() {
        return false;
    }
    let seg = segment(r);
    if seg == Seg::Cs {
        last::<PopCs>(l);
        return true;
    }
    match l.insn.stack_pointer_increment() {
        2 => l.emit::<PopSegment<u16>>(seg as u8, 0, 0),
        8 => l.emit::<PopSegment<u64>>(seg as u8, 0, 0),
        _ => l.emit::<PopSegment<u32>>(seg as u8, 0, 0),
    }
    after_load(l, seg);
    true
}

fn far_pointer(l: &mut Lowering<'_>, seg: Seg) {
    let a = l.reg(0);
    match l.operand_bytes(0) {
        2 => l.emit_memory::<LoadFar<u16>>(a),
        8 => l.emit_memory::<LoadFar<u64>>(a),
        _ => l.emit_memory::<LoadFar<u32>>(a),
    }
    l.emit_second(seg as i32);
    after_load(l, seg);
}

fn far_branch(l: &mut Lowering<'_>) -> bool {
    match l.insn.code() {
        Code::Jmp_ptr1616 => direct::<JmpFar<u16>>(l),
        Code::Jmp_ptr1632 => direct::<JmpFar<u32>>(l),
        Code::Call_ptr1616 => direct::<CallFar<u16>>(l),
        Code::Call_ptr1632 => direct::<CallFar<u32>>(l),
        Code::Jmp_m1616 => l.emit_memory::<JmpFarTo<u16>>(0),
        Code::Jmp_m1632 => l.emit_memory::<JmpFarTo<u32>>(0),
        Code::Jmp_m1664 => l.emit_memory::<JmpFarTo<u64>>(0),
        Code::Call_m1616 => l.emit_memory::<CallFarTo<u16>>(0),
        Code::Call_m1632 => l.emit_memory::<CallFarTo<u32>>(0),
        Code::Call_m1664 => l.emit_memory::<CallFarTo<u64>>(0),
        _ => return false,
    }
    l.ends_block = true;
    true
}

fn direct<I: crate::op::Instruction>(l: &mut Lowering<'_>) {
    let offset = match l.insn.op0_kind() {
        OpKind::FarBranch16 => i32::from(l.insn.far_branch16()),
        _ => l.insn.far_branch32() as i32,
    };
    l.emit::<I>(0, 0, offset);
    l.emit_second(l.insn.far_branch_selector().into());
}

/// An instruction that stores to a register of 16 or 32 bits or to a word of memory.
fn store<V: Stored>(l: &mut Lowering<'_>, a: u8) {
    if l.is_memory(0) {
        l.emit_memory::<Store<V, u16, Mem<Segmented>>>(a);
    } else {
        match l.operand_bytes(0) {
            2 => l.emit::<Store<V, u16, B>>(a, l.reg(0), 0),
            8 => l.emit::<Store<V, u64, B>>(a, l.reg(0), 0),
            _ => l.emit::<Store<V, u32, B>>(a, l.reg(0), 0),
        }
    }
}

/// An instruction that takes the low 16 bits of operand `n`.
fn take<V: Taken>(l: &mut Lowering<'_>, n: u32, a: u8) {
    if l.is_memory(n) {
        l.emit_memory::<Take<V, Mem<Segmented>>>(a);
    } else {
        l.emit::<Take<V, B>>(a, l.reg(n), 0);
    }
}

/// LAR and LSL: `R` for a register, `F` for memory.
fn selector_query<R, F>(l: &mut Lowering<'_>)
where
    R: crate::op::Instruction,
    F: crate::op::Instruction,
{
    let a = l.reg(0);
    if l.is_memory(1) {
        l.emit_memory::<F>(a)
    } else {
        l.emit::<R>(a, l.reg(1), 0)
    }
}

fn input(l: &mut Lowering<'_>) {
    match l.insn.op0_register() {
        Register::AL => input_of::<u8>(l),
        Register::AX => input_of::<u16>(l),
        _ => input_of::<u32>(l),
    }
}

fn input_of<T: Int>(l: &mut Lowering<'_>) {
    if l.is_immediate(1) {
        l.emit::<In<T, Immediate>>(0, 0, l.insn.immediate8().into());
    } else {
        l.emit::<In<T, Dx>>(0, 0, 0);
    }
}

fn output(l: &mut Lowering<'_>) {
    match l.insn.op1_register() {
        Register::AL => output_of::<u8>(l),
        Register::AX => output_of::<u16>(l),
        _ => output_of::<u32>(l),
    }
}

fn output_of<T: Int>(l: &mut Lowering<'_>) {
    if l.is_immediate(0) {
        l.emit::<Out<T, Immediate>>(0, 0, l.insn.immediate8().into());
    } else {
        l.emit::<Out<T, Dx>>(0, 0, 0);
    }
}
