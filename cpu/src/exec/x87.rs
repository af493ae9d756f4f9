//! x87 instructions: what surrounds the functions of [`crate::x87`]: #NM, pending exceptions, memory operands, the
//! instruction and data pointers.
//!
//! Each operation takes two slots. The second holds the opcode (`a`: ModRM, `b`: low bits of the first byte), the number
//! of the memory operand's segment (`c`), and the distance of the instruction from the start of the block.

use super::operand::As;
use super::x87_operand::{MemoryNumber, MemoryStore};
use super::x87_quick::{NothingWaits, Short};
use crate::alu::Condition;
use crate::alu::flags::{ARITHMETIC, CF, PF, ZF};
use crate::context::Context;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::op::{Handler, Instruction, OpRef, Stop, shortcut};
use crate::softfloat::{F80, RemainderKind};
use crate::x87::arith::{self, Operation};
use crate::x87::compare::{self, Comparison};
use crate::x87::image::{self, Format};
use crate::x87::state::Ease;
use crate::x87::transcendental;
use crate::x87::transfer::{self, Constant};
use crate::x87::{Fpu, control, quick};
use emu_core::Width;
use emu_core::backend::{Attention, Special};
use emu_core::x86::{Cr0, Seg};

/// How an instruction stands to exceptions and pointers.
pub trait Execution: 'static {
    /// A pending unmasked exception is taken first.
    const WAITS: bool;
    /// FIP, FCS and FOP are recorded.
    const RECORDS: bool;
    /// What tries a shortcut first, where addresses are as `A` says.
    fn shortcut<A: Address>() -> Option<Handler> {
        None
    }
    /// Executes it.
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop>;
}

/// An x87 instruction.
pub struct X87<E>(As<E>);

impl<E: Execution> Instruction for X87<E> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        if cpu.cr0.intersects(Cr0::EM | Cr0::TS) {
            return Err(cpu.fault(Fault::NM));
        }
        if E::WAITS {
            cpu.take_x87_exception()?;
        }
        cpu.x87.unsettle();
        E::run(cpu, op)?;
        if E::RECORDS {
            cpu.record_x87(op);
        }
        cpu.show_ferr();
        Ok(())
    }
}

/// WAIT: #NM if both MP and TS are set; takes a pending exception.
pub struct Wait;

impl Instruction for Wait {
    const HANDLER: Handler = shortcut::<NothingWaits>;
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        if cpu.cr0.contains(Cr0::MP | Cr0::TS) {
            return Err(cpu.fault(Fault::NM));
        }
        cpu.take_x87_exception()
    }
}

/// The elements that an environment or a whole state consists of, by operand size; they are what is to be aligned (SDM
/// vol. 3, table 6-7).
fn image_element(op: OpRef) -> Width {
    if op.a != 0 { Width::Dword } else { Width::Word }
}

impl Interpreter {
    /// Takes a pending unmasked exception: #MF with CR0.NE; else FERR# has told the board, and the CPU waits until
    /// IGNNE# or an interrupt comes (SDM vol. 1, section 8.7.2).
    pub(crate) fn take_x87_exception(&mut self) -> Result<(), Stop> {
        if !self.x87.exception_pending() {
            return Ok(());
        }
        if self.cr0.contains(Cr0::NE) {
            return Err(self.fault(Fault::MF));
        }
        let id = self.id;
        if self.bus().attention(id).contains(Attention::IGNNE) {
            return Ok(());
        }
        self.attached.left -= 1;
        Err(Stop::Wait)
    }

    /// Drives FERR# after an instruction that may have changed it.
    pub(crate) fn show_ferr(&mut self) {
        let error = self.x87.exception_pending() && !self.cr0.contains(Cr0::NE);
        if error != self.ferr {
            self.ferr = error;
            self.device_access();
            let id = self.id;
            self.bus().special_cycle(id, Special::Ferr(error));
        }
        self.x87.settle(error);
    }

    fn offset_plus(&self, op: OpRef, n: u64) -> u64 {
        Segmented::offset(self, op).wrapping_add(n) & address::mask(&op)
    }

    /// What a processor checks of an environment or a whole state before it moves any of it: the first element, in every
    /// way, and the last byte (so do Intel's; no manual says which page's fault is reported, or which exception of two).
    /// The offset of each wraps by the size of the address. The 80287 and older have none of it.
    fn check_image(
        &mut self,
        op: OpRef,
        bytes: usize,
        element: Width,
        write: bool,
    ) -> Result<(), Stop> {
        if self.model.processor.is_some() {
            return Ok(());
        }
        let seg = address::segment(&op);
        let last = bytes as u64 - 1;
        for (at, width) in [(0, element), (last, Width::Byte)] {
            let offset = self.offset_plus(op, at);
            if write {
                self.place(seg, offset, width)?;
            } else {
                self.check_load(seg, offset, width)?;
            }
        }
        Ok(())
    }

    /// Loads an environment or a whole state.
    fn load_image<const N: usize>(&mut self, op: OpRef) -> Result<[u8; N], Stop> {
        let (seg, element) = (address::segment(&op), image_element(op));
        self.check_image(op, N, element, false)?;
        let mut bytes = [0; N];
        let mut i = 0;
        while i < N {
            let at = self.offset_plus(op, i as u64);
            if N - i >= 4 && element == Width::Dword {
                let v = self.load_at::<u32, Segmented>(seg, at)?;
                bytes[i..i + 4].copy_from_slice(&v.to_le_bytes());
                i += 4;
            } else {
                let v = self.load_at::<u16, Segmented>(seg, at)?;
                bytes[i..i + 2].copy_from_slice(&v.to_le_bytes());
                i += 2;
            }
        }
        Ok(bytes)
    }

    /// Stores one, all checked before the first byte is written.
    fn store_image(&mut self, op: OpRef, bytes: &[u8]) -> Result<(), Stop> {
        self.check_image(op, bytes.len(), image_element(op), true)?;
        self.store_words(op, bytes)
    }

    /// Stores an even number of bytes, all checked before the first is written.
    fn store_words(&mut self, op: OpRef, bytes: &[u8]) -> Result<(), Stop> {
        let seg = address::segment(&op);
        let mut places = Vec::with_capacity(bytes.len() / 2);
        for i in (0..bytes.len()).step_by(2) {
            places.push(self.place(seg, self.offset_plus(op, i as u64), Width::Word)?);
        }
        for (place, pair) in places.into_iter().zip(bytes.chunks_exact(2)) {
            let v = u16::from_le_bytes([pair[0], pair[1]]);
            self.close_slow(place, Width::Word, v.into());
        }
        Ok(())
    }

    /// Loads an operand of 80 bits: 64, then 16, each checked by itself (so do Intel's: a limit or a page between the two
    /// counts for the second only, whose offset wraps by the size of the address). Older ones, up to the 80286, go by words.
    pub(super) fn load_extended(&mut self, op: OpRef) -> Result<(u64, u16), Stop> {
        let seg = address::segment(&op);
        let significand = if self.model.processor.is_some() {
            let mut v = 0;
            for i in 0..4 {
                let at = self.offset_plus(op, 2 * i);
                v |= u64::from(self.load_at::<u16, Segmented>(seg, at)?) << (16 * i);
            }
            v
        } else {
            self.load_at::<u64, Segmented>(seg, self.offset_plus(op, 0))?
        };
        let rest = self.load_at::<u16, Segmented>(seg, self.offset_plus(op, 8))?;
        Ok((significand, rest))
    }

    /// Stores one, both parts checked before the first is written.
    pub(super) fn store_extended(
        &mut self,
        op: OpRef,
        significand: u64,
        rest: u16,
    ) -> Result<(), Stop> {
        if self.model.processor.is_some() {
            let mut bytes = [0; 10];
            bytes[..8].copy_from_slice(&significand.to_le_bytes());
            bytes[8..].copy_from_slice(&rest.to_le_bytes());
            return self.store_words(op, &bytes);
        }
        let seg = address::segment(&op);
        let first = self.place(seg, self.offset_plus(op, 0), Width::Qword)?;
        let second = self.place(seg, self.offset_plus(op, 8), Width::Word)?;
        self.close_slow(first, Width::Qword, significand);
        self.close_slow(second, Width::Word, rest.into());
        Ok(())
    }

    /// The faults of a store of so many bytes, 10 of them in two parts.
    fn check_x87_store(&mut self, op: OpRef, bytes: u64) -> Result<(), Stop> {
        let seg = address::segment(&op);
        self.check_store(seg, self.offset_plus(op, 0), bytes.min(8))?;
        if bytes > 8 {
            self.check_store(seg, self.offset_plus(op, 8), bytes - 8)?;
        }
        Ok(())
    }

    /// FIP, FCS and FOP.
    pub(crate) fn record_x87(&mut self, op: OpRef) {
        let second = op.plus(1);
        let rip = self.regs.block_rip().wrapping_add(second.imm as u64);
        let selector = self.segment(Seg::Cs).selector.0;
        let opcode = u16::from_le_bytes([second.a, second.b]);
        self.x87
            .record_instruction(selector, self.wrap_rip(rip), opcode);
    }

    pub(crate) fn record_operand(&mut self, op: OpRef) {
        let selector = self.segments[address::segment(&op) % 6].reg.selector.0;
        let offset = Segmented::offset(self, op);
        self.x87.record_operand(selector, offset);
    }

    fn image_format(&self, op: OpRef) -> Format {
        match (op.a != 0, self.is_protected()) {
            (true, true) => Format::Protected32,
            (true, false) => Format::Real32,
            (false, true) => Format::Protected16,
            (false, false) => Format::Real16,
        }
    }
}

/// The six operations in the order of the ModRM reg field; FCOM and FCOMP stand between.
pub const OPERATIONS: [Operation; 8] = [
    Operation::Add,
    Operation::Mul,
    Operation::Add,
    Operation::Add,
    Operation::Sub,
    Operation::SubReverse,
    Operation::Div,
    Operation::DivReverse,
];

/// FADD to FDIVR with a memory operand; `N` is the reg field.
pub struct ArithMemory<M, const N: usize>(As<M>);

impl<M: MemoryNumber, const N: usize> Execution for ArithMemory<M, N> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = M::read(cpu, op)?;
        arith::arithmetic_memory(&mut cpu.x87, OPERATIONS[N], v);
        cpu.record_operand(op);
        Ok(())
    }
}

/// FCOM and FCOMP, FICOM and FICOMP.
pub struct CompareMemory<M, const POP: bool>(As<M>);

impl<M: MemoryNumber, const POP: bool> Execution for CompareMemory<M, POP> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = M::read(cpu, op)?;
        compare::compare_memory(&mut cpu.x87, v, POP);
        cpu.record_operand(op);
        Ok(())
    }
}

/// FLD m32, m64; FILD.
pub struct LoadMemory<M>(As<M>);

impl<M: MemoryNumber> Execution for LoadMemory<M> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = M::read(cpu, op)?;
        transfer::load(&mut cpu.x87, v);
        cpu.record_operand(op);
        Ok(())
    }
}

/// FLD m80.
pub struct LoadExtended;

impl Execution for LoadExtended {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (significand, sign_exp) = cpu.load_extended(op)?;
        transfer::load_f80(&mut cpu.x87, F80::new(sign_exp, significand));
        cpu.record_operand(op);
        Ok(())
    }
}

/// FBLD.
pub struct LoadBcd;

impl Execution for LoadBcd {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (low, high) = cpu.load_extended(op)?;
        let mut b = [0; 10];
        b[..8].copy_from_slice(&low.to_le_bytes());
        b[8..].copy_from_slice(&high.to_le_bytes());
        transfer::load_bcd(&mut cpu.x87, b);
        cpu.record_operand(op);
        Ok(())
    }
}

/// FST, FSTP, FIST, FISTP, FISTTP, FBSTP.
pub struct StoreMemory<M, const POP: bool>(As<M>);

impl<M: MemoryStore, const POP: bool> Execution for StoreMemory<M, POP> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        M::AT_HAND.then_some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let store = M::compute(&cpu.x87);
        match &store.value {
            Some(v) => M::write(cpu, op, v)?,
            // With an unmasked exception nothing is written, and Intel's look at no address then.
            None if cpu.model.is_amd() => cpu.check_x87_store(op, M::BYTES)?,
            None => {}
        }
        store.commit(&mut cpu.x87, POP);
        cpu.record_operand(op);
        Ok(())
    }
}

/// FADD to FDIVR on registers. `N` is the operation's place in [`OPERATIONS`]; `TO_STI` puts the result into ST(i),
/// whose number is the first slot's `a`.
pub struct ArithStack<const N: usize, const TO_STI: bool, const POP: bool>;

impl<const N: usize, const TO_STI: bool, const POP: bool> Execution for ArithStack<N, TO_STI, POP> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (destination, source) = if TO_STI { (op.a, 0) } else { (0, op.a) };
        arith::arithmetic(&mut cpu.x87, OPERATIONS[N], destination, source, POP);
        Ok(())
    }
}

/// FCOM, FUCOM and their popping forms.
pub struct CompareStack<const ORDERED: bool, const POPS: u8>;

impl<const ORDERED: bool, const POPS: u8> Execution for CompareStack<ORDERED, POPS> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        compare::compare(&mut cpu.x87, op.a, kind(ORDERED), POPS);
        Ok(())
    }
}

const fn kind(ordered: bool) -> Comparison {
    if ordered {
        Comparison::Ordered
    } else {
        Comparison::Unordered
    }
}

/// FCOMI, FUCOMI and their popping forms. OF, SF and AF are cleared (SDM vol. 2, "FCOMI").
pub struct CompareToFlags<const ORDERED: bool, const POP: bool>;

impl<const ORDERED: bool, const POP: bool> Execution for CompareToFlags<ORDERED, POP> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let f = compare::compare_to_eflags(&mut cpu.x87, op.a, kind(ORDERED), POP);
        let bit = |set: bool, bit: u64| if set { bit } else { 0 };
        let bits = bit(f.zf, ZF) | bit(f.pf, PF) | bit(f.cf, CF);
        cpu.flags = cpu.flags.with(ARITHMETIC, bits);
        Ok(())
    }
}

/// FCMOVcc; `N` is the condition's encoding.
pub struct MoveIf<const N: usize>;

impl<const N: usize> Execution for MoveIf<N> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let condition: Condition = super::data::CONDITIONS[N];
        let holds = cpu.flags.holds(condition);
        transfer::move_if(&mut cpu.x87, op.a, holds);
        Ok(())
    }
}

/// An instruction on the register stack alone, as a function of the unit and ST(i)'s number.
pub trait OnStack: 'static {
    /// What must be known for its shortcut, if it has one.
    const EASE: Option<Ease> = None;
    /// Executes it, where all registers are full and empty that it wants so and its operands are ordinary, or gives up with
    /// nothing committed.
    fn attempt(_: &mut Fpu, _: u8) -> Option<()> {
        None
    }
    /// Executes it.
    fn run(fpu: &mut Fpu, i: u8);
}

/// An arithmetic or transfer instruction on the stack.
pub struct Stack<F>(As<F>);

impl<F: OnStack> Execution for Stack<F> {
    const WAITS: bool = true;
    const RECORDS: bool = true;
    fn shortcut<A: Address>() -> Option<Handler> {
        F::EASE.map(|_| shortcut::<Short<Self, A>> as Handler)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        F::run(&mut cpu.x87, op.a);
        Ok(())
    }
}

/// A control instruction that does not wait for exceptions.
pub struct Control<F>(As<F>);

impl<F: OnStack> Execution for Control<F> {
    const WAITS: bool = false;
    const RECORDS: bool = false;
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        F::run(&mut cpu.x87, op.a);
        Ok(())
    }
}

macro_rules! on_stack {
    ($($(#[$doc:meta])* $name:ident => |$fpu:ident, $i:ident| $code:expr $(, $ease:ident: $attempt:expr)?;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;
            impl OnStack for $name {
                $(
                    const EASE: Option<Ease> = Some(Ease::$ease);
                    #[inline(always)]
                    fn attempt($fpu: &mut Fpu, $i: u8) -> Option<()> {
                        let _ = $i;
                        $attempt
                    }
                )?
                fn run($fpu: &mut Fpu, $i: u8) {
                    let _ = $i;
                    $code
                }
            }
        )*
    };
}

on_stack! {
    /// FLD ST(i).
    LoadSt => |fpu, i| transfer::load_st(fpu, i), CALM: fpu.push_quick(fpu.value(i)?);
    /// FXCH.
    Exchange => |fpu, i| transfer::exchange(fpu, i), CALM: fpu.exchange_quick(i);
    /// FST ST(i).
    StoreSt => |fpu, i| transfer::store_st(fpu, i, false), CALM: fpu.store_quick(i);
    /// FSTP ST(i).
    StoreStPop => |fpu, i| transfer::store_st(fpu, i, true), CALM: {
        fpu.store_quick(i)?;
        fpu.pop_quick();
        Some(())
    };
    /// FSTP1 (D9 D8+i).
    StoreStUnchecked => |fpu, i| transfer::store_st_unchecked(fpu, i);
    /// FNOP.
    Nothing => |fpu, i| { let _ = fpu; }, CALM: { let _ = fpu; Some(()) };
    /// FCHS.
    ChangeSign => |fpu, i| arith::change_sign(fpu), CALM: fpu.replace_quick(quick::negated);
    /// FABS.
    Absolute => |fpu, i| arith::absolute(fpu), CALM: fpu.replace_quick(quick::absolute);
    /// FTST.
    Test => |fpu, i| compare::test(fpu), CALM: {
        let relation = quick::compare(fpu.value(0)?, F80::ZERO)?;
        fpu.set_relation(relation);
        Some(())
    };
    /// FXAM.
    Examine => |fpu, i| compare::examine(fpu), CALM: {
        compare::examine(fpu);
        Some(())
    };
    /// FLD1.
    LoadOne => |fpu, i| transfer::load_constant(fpu, Constant::One), CALM: fpu.push_constant(Constant::One);
    /// FLDL2T.
    LoadLog2Of10 => |fpu, i| transfer::load_constant(fpu, Constant::Log2Of10), CALM: fpu.push_constant(Constant::Log2Of10);
    /// FLDL2E.
    LoadLog2OfE => |fpu, i| transfer::load_constant(fpu, Constant::Log2OfE), CALM: fpu.push_constant(Constant::Log2OfE);
    /// FLDPI.
    LoadPi => |fpu, i| transfer::load_constant(fpu, Constant::Pi), CALM: fpu.push_constant(Constant::Pi);
    /// FLDLG2.
    LoadLog10Of2 => |fpu, i| transfer::load_constant(fpu, Constant::Log10Of2), CALM: fpu.push_constant(Constant::Log10Of2);
    /// FLDLN2.
    LoadLnOf2 => |fpu, i| transfer::load_constant(fpu, Constant::LnOf2), CALM: fpu.push_constant(Constant::LnOf2);
    /// FLDZ.
    LoadZero => |fpu, i| transfer::load_constant(fpu, Constant::Zero), CALM: fpu.push_constant(Constant::Zero);
    /// FXTRACT.
    Extract => |fpu, i| arith::extract(fpu);
    /// FPREM.
    Remainder => |fpu, i| arith::remainder(fpu, RemainderKind::Truncate);
    /// FPREM1.
    RemainderIeee => |fpu, i| arith::remainder(fpu, RemainderKind::Nearest);
    /// FSQRT.
    SquareRoot => |fpu, i| arith::square_root(fpu), NEAREST: {
        let dropped = fpu.dropped();
        fpu.round_quick(|v| quick::square_root(v, dropped))
    };
    /// FRNDINT.
    RoundToIntegral => |fpu, i| arith::round_to_integral(fpu), ROUNDS: {
        let rounding = fpu.rounding();
        fpu.round_quick(|v| quick::round_to_integral(v, rounding))
    };
    /// FSCALE.
    Scale => |fpu, i| arith::scale(fpu);
    /// F2XM1.
    PowerOfTwoMinusOne => |fpu, i| transcendental::two_to_the_power_minus_one(fpu);
    /// FYL2X.
    Logarithm => |fpu, i| transcendental::logarithm(fpu);
    /// FYL2XP1.
    LogarithmPlusOne => |fpu, i| transcendental::logarithm_plus_one(fpu);
    /// FPTAN.
    Tangent => |fpu, i| transcendental::tangent(fpu);
    /// FPATAN.
    ArcTangent => |fpu, i| transcendental::arc_tangent(fpu);
    /// FSIN.
    Sine => |fpu, i| transcendental::sine(fpu);
    /// FCOS.
    Cosine => |fpu, i| transcendental::cosine(fpu);
    /// FSINCOS.
    SineCosine => |fpu, i| transcendental::sine_cosine(fpu);
    /// FDECSTP.
    DecrementTop => |fpu, i| control::decrement_top(fpu), CALM: { control::decrement_top(fpu); Some(()) };
    /// FINCSTP.
    IncrementTop => |fpu, i| control::increment_top(fpu), CALM: { control::increment_top(fpu); Some(()) };
    /// FFREE.
    Free => |fpu, i| control::free(fpu, i), CALM: { control::free(fpu, i); Some(()) };
    /// FFREEP.
    FreeAndPop => |fpu, i| control::free_and_pop(fpu, i), CALM: { control::free_and_pop(fpu, i); Some(()) };
    /// FNCLEX.
    ClearExceptions => |fpu, i| control::clear_exceptions(fpu);
    /// FNINIT.
    Init => |fpu, i| control::init(fpu);
    /// FNENI (8087; no operation later).
    EnableInterrupts => |fpu, i| control::set_interrupts(fpu, true);
    /// FNDISI (8087; no operation later).
    DisableInterrupts => |fpu, i| control::set_interrupts(fpu, false);
}

/// FLDCW.
pub struct LoadControl;
/// FNSTCW.
pub struct StoreControl;
/// FNSTSW m16.
pub struct StoreStatus;
/// FNSTSW AX.
pub struct StatusToAx;
/// FLDENV.
pub struct LoadEnvironment;
/// FNSTENV.
pub struct StoreEnvironment;
/// FRSTOR.
pub struct Restore;
/// FNSAVE.
pub struct Save;

impl Execution for LoadControl {
    const WAITS: bool = true;
    const RECORDS: bool = false;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = cpu.load::<u16, Segmented>(op)?;
        control::load_control(&mut cpu.x87, v);
        Ok(())
    }
}
impl Execution for StoreControl {
    const WAITS: bool = false;
    const RECORDS: bool = false;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = cpu.x87.control;
        cpu.store::<u16, Segmented>(op, v)
    }
}
impl Execution for StoreStatus {
    const WAITS: bool = false;
    const RECORDS: bool = false;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = cpu.x87.status_word();
        cpu.store::<u16, Segmented>(op, v)
    }
}
impl Execution for StatusToAx {
    const WAITS: bool = false;
    const RECORDS: bool = false;
    fn shortcut<A: Address>() -> Option<Handler> {
        Some(shortcut::<Short<Self, A>>)
    }
    fn run(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let v = cpu.x87.status_word();
        cpu.regs.set(0, v);
        Ok(())
    }
}
impl Execution for LoadEnvironment {
    const WAITS: bool = true;
    const RECORDS: bool = false;
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let format = cpu.image_format(op);
        if format.environment_bytes() == 14 {
            let b: [u8; 14] = cpu.load_image(op)?;
            image::load_environment(&mut cpu.x87, format, &b);
        } else {
            let b: [u8; 28] = cpu.load_image(op)?;
            image::load_environment(&mut cpu.x87, format, &b);
        }
        Ok(())
    }
}
impl Execution for StoreEnvironment {
    const WAITS: bool = false;
    const RECORDS: bool = false;
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let format = cpu.image_format(op);
        let b = image::environment(&cpu.x87, format);
        cpu.store_image(op, &b[..format.environment_bytes()])?;
        image::mask_exceptions(&mut cpu.x87);
        Ok(())
    }
}
impl Execution for Restore {
    const WAITS: bool = true;
    const RECORDS: bool = false;
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let format = cpu.image_format(op);
        if format.state_bytes() == 94 {
            let b: [u8; 94] = cpu.load_image(op)?;
            image::restore(&mut cpu.x87, format, &b);
        } else {
            let b: [u8; 108] = cpu.load_image(op)?;
            image::restore(&mut cpu.x87, format, &b);
        }
        Ok(())
    }
}
impl Execution for Save {
    const WAITS: bool = false;
    const RECORDS: bool = false;
    fn run(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let format = cpu.image_format(op);
        let b = image::save(&cpu.x87, format);
        cpu.store_image(op, &b[..format.state_bytes()])?;
        control::init(&mut cpu.x87);
        Ok(())
    }
}
