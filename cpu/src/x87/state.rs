//! The architectural state of the x87 (SDM vol. 1, section 8.1).

use crate::softfloat::{F80, Flags, FloatEnv, Rounding};
use bitflags::bitflags;
use emu_core::x86::X87State;

/// Which coprocessor this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// 8087: infinity control, an interrupt-enable mask, no protected-mode formats.
    I8087,
    /// 80287: infinity control, FSETPM.
    I80287,
    /// 80387 and everything after it: IEEE 754-1985, affine infinity only.
    #[default]
    I80387,
}

/// Condition code bit C0 of the status word.
pub const C0: u16 = 1 << 8;
/// Condition code bit C1.
pub const C1: u16 = 1 << 9;
/// Condition code bit C2.
pub const C2: u16 = 1 << 10;
/// Condition code bit C3.
pub const C3: u16 = 1 << 14;
/// SF: stack fault.
pub const STACK_FAULT: u16 = 1 << 6;
/// ES: an unmasked exception is pending (IR on the 8087).
pub const ERROR_SUMMARY: u16 = 1 << 7;
/// B: busy; mirrors ES on the 80287 and later.
pub const BUSY: u16 = 1 << 15;
/// TOP in the status word.
pub const TOP_SHIFT: u32 = 11;
/// The six exception flags, and in the control word their masks.
pub const EXCEPTIONS: u16 = 0x3F;
/// Control word bit 12, IC: affine infinity (8087, 80287; kept and ignored later).
pub const INFINITY_CONTROL: u16 = 1 << 12;
/// Control word bit 7 on the 8087, IEM: interrupts disabled.
pub const INTERRUPT_MASK: u16 = 1 << 7;

bitflags! {
    /// What is known of the control and the status word, so that what is done in few steps asks only once. All clear: nothing.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Ease: u8 {
        /// No exception is pending, and FERR# is not asserted.
        const CALM = 1 << 0;
        /// So it is, and a result that is not exact changes nothing of it.
        const ROUNDS = 1 << 1;
        /// So it is, and rounding is to nearest.
        const NEAREST = 1 << 2;
    }
}

/// Registers, words and pointers, in the form the interpreter works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fpu {
    /// The part; constant after power-on.
    pub generation: Generation,
    /// It does as AMD's what Intel's do otherwise; constant too.
    pub amd: bool,
    /// R0 to R7; ST(i) is R((TOP + i) mod 8). MMX registers are their significands.
    pub registers: [F80; 8],
    /// Bit n set: Rn is not empty (the abridged tag word of FXSAVE).
    pub occupied: u8,
    /// TOP, 0 to 7.
    pub top: u8,
    /// The control word as FNSTCW stores it.
    pub control: u16,
    /// The status word without TOP, ES and B, which follow from the rest: see [`Self::status_word`].
    pub status: u16,
    /// Offset of the last instruction that was not a control instruction.
    pub fip: u64,
    /// Its code segment.
    pub fcs: u16,
    /// Offset of its memory operand.
    pub fdp: u64,
    /// Segment of its memory operand.
    pub fds: u16,
    /// Its opcode: low three bits of the first byte, then the ModRM byte.
    pub fop: u16,
    /// See [`Self::settle`].
    derived: Derived,
}

/// What follows from other fields, or is not known.
#[derive(Clone, Debug, Default)]
struct Derived {
    ease: Ease,
    dropped: u8,
}

/// States differ by what they consist of alone.
impl PartialEq for Derived {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Derived {}

impl Fpu {
    /// After power-on and FNINIT (SDM vol. 1, table 9-1 and FINIT; 8087 and 80287 data sheets).
    pub fn new(generation: Generation) -> Self {
        let mut state = Self {
            generation,
            amd: false,
            registers: [F80::ZERO; 8],
            occupied: 0,
            top: 0,
            control: 0,
            status: 0,
            fip: 0,
            fcs: 0,
            fdp: 0,
            fds: 0,
            fop: 0,
            derived: Derived::default(),
        };
        super::control::init(&mut state);
        state
    }

    /// The same made by AMD, or by Intel.
    pub fn of_amd(self, amd: bool) -> Self {
        Self { amd, ..self }
    }

    /// The number of the register that ST(i) is.
    #[inline]
    pub const fn index(&self, i: u8) -> usize {
        (self.top.wrapping_add(i) & 7) as usize
    }

    /// ST(i), whether empty or not.
    #[inline]
    pub fn st(&self, i: u8) -> F80 {
        self.registers[self.index(i)]
    }

    /// Whether ST(i) is empty.
    pub const fn is_empty(&self, i: u8) -> bool {
        self.occupied >> self.index(i) & 1 == 0
    }

    /// Writes ST(i), which is not empty thereafter.
    pub fn set_st(&mut self, i: u8, value: F80) {
        let index = self.index(i);
        self.registers[index] = value;
        self.occupied |= 1 << index;
    }

    /// Marks ST(i) empty; its contents stay.
    pub fn free(&mut self, i: u8) {
        self.occupied &= !(1 << self.index(i));
    }

    /// Moves TOP.
    pub fn rotate(&mut self, by: u8) {
        self.top = self.top.wrapping_add(by) & 7;
    }

    /// Says what is known of control and status word, after an instruction that may have changed them.
    pub(crate) fn settle(&mut self, ferr: bool) {
        let known = FloatEnv::x87(self.control);
        let rounds = known.is_masked(Flags::INEXACT);
        let nearest = rounds && known.rounding == Rounding::Nearest;
        let mut ease = Ease::CALM;
        ease.set(Ease::ROUNDS, rounds);
        ease.set(Ease::NEAREST, nearest);
        let calm = !ferr && !self.exception_pending();
        self.derived = Derived {
            ease: if calm { ease } else { Ease::empty() },
            dropped: 64 - known.precision.bits() as u8,
        };
    }

    /// Nothing is known any more.
    pub(crate) fn unsettle(&mut self) {
        self.derived.ease = Ease::empty();
    }

    /// Whether so much is known.
    #[inline(always)]
    pub(crate) const fn is_settled(&self, ease: Ease) -> bool {
        self.derived.ease.contains(ease)
    }

    /// How many bits of a significand precision control drops, where anything is known.
    #[inline(always)]
    pub(crate) const fn dropped(&self) -> u32 {
        self.derived.dropped as u32
    }

    /// Whether an exception is flagged and not masked: the next waiting instruction takes it.
    pub const fn exception_pending(&self) -> bool {
        self.status & !self.control & EXCEPTIONS != 0
    }

    /// The status word as FNSTSW stores it.
    pub const fn status_word(&self) -> u16 {
        let summary = if self.exception_pending() {
            ERROR_SUMMARY | BUSY
        } else {
            0
        };
        self.status | (self.top as u16) << TOP_SHIFT | summary
    }

    /// Loads the status word; ES and B follow from flags and masks.
    pub fn set_status_word(&mut self, word: u16) {
        self.unsettle();
        self.status = word & (EXCEPTIONS | STACK_FAULT | C0 | C1 | C2 | C3);
        self.top = (word >> TOP_SHIFT & 7) as u8;
    }

    /// Loads the control word, keeping the bits that exist. Bit 6 reads as 1 on the 80387 and later.
    pub fn set_control_word(&mut self, word: u16) {
        self.unsettle();
        self.control = self.control_word(word);
    }

    pub(super) const fn control_word(&self, word: u16) -> u16 {
        match self.generation {
            Generation::I8087 | Generation::I80287 => word & 0x1FFF,
            Generation::I80387 => word & 0x1F3F | 0x40,
        }
    }

    /// The full tag word: 00 valid, 01 zero, 10 special, 11 empty; two bits for each of R0 to R7.
    pub fn tag_word(&self) -> u16 {
        (0..8).rev().fold(0, |word, r| word << 2 | self.tag(r))
    }

    fn tag(&self, r: usize) -> u16 {
        let F80 {
            sign_exp,
            significand,
        } = self.registers[r];
        if self.occupied >> r & 1 == 0 {
            return 3;
        }
        match (sign_exp & 0x7FFF, significand) {
            (0, 0) => 1,
            (0 | 0x7FFF, _) => 2,
            (_, s) if s >> 63 == 0 => 2,
            _ => 0,
        }
    }

    /// Loads a full tag word; only empty or not is remembered.
    pub fn set_tag_word(&mut self, word: u16) {
        self.occupied = (0..8).fold(0, |occupied, r| {
            occupied | u8::from(word >> (2 * r) & 3 != 3) << r
        });
    }

    /// Whether infinities have no sign: 8087 and 80287 with IC clear.
    pub fn projective(&self) -> bool {
        self.generation < Generation::I80387 && self.control & INFINITY_CONTROL == 0
    }

    /// Records the instruction for FIP, FCS and FOP; all but the control instructions do so.
    pub fn record_instruction(&mut self, fcs: u16, fip: u64, fop: u16) {
        self.fcs = fcs;
        self.fip = fip;
        self.fop = fop & 0x7FF;
    }

    /// Records the memory operand for FDP and FDS.
    pub fn record_operand(&mut self, fds: u16, fdp: u64) {
        self.fds = fds;
        self.fdp = fdp;
    }

    pub(super) fn raise(&mut self, flags: Flags) {
        self.status |= u16::from(flags.bits());
    }

    pub(super) fn is_masked(&self, flags: Flags) -> bool {
        u16::from(flags.bits()) & !self.control == 0
    }

    pub(super) fn set_conditions(&mut self, which: u16, values: u16) {
        self.status = self.status & !which | values & which;
    }
}

/// The state as every CPU back end exchanges it.
impl Fpu {
    /// From the exchanged form.
    pub fn from_state(generation: Generation, state: &X87State) -> Self {
        let mut fpu = Self::new(generation);
        for (r, register) in fpu.registers.iter_mut().enumerate() {
            *register = F80::new(state.sign_exponent[r], state.significand[r]);
        }
        fpu.set_control_word(state.control);
        fpu.set_status_word(state.status);
        fpu.occupied = state.not_empty;
        fpu.record_instruction(
            state.instruction_selector,
            state.instruction_pointer,
            state.opcode,
        );
        fpu.record_operand(state.data_selector, state.data_pointer);
        // Without a pending exception FERR# is not asserted.
        fpu.settle(false);
        fpu
    }

    /// To the exchanged form.
    pub fn to_state(&self) -> X87State {
        X87State {
            significand: self.registers.map(|register| register.significand),
            sign_exponent: self.registers.map(|register| register.sign_exp),
            control: self.control,
            status: self.status_word(),
            not_empty: self.occupied,
            opcode: self.fop,
            instruction_pointer: self.fip,
            instruction_selector: self.fcs,
            data_pointer: self.fdp,
            data_selector: self.fds,
        }
    }
}
