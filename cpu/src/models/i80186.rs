//! The Intel 80186: an 8086 with ten instructions more (BOUND, ENTER, LEAVE, PUSHA, POPA, INS, OUTS, PUSH, IMUL and shifts
//! with an immediate), shift counts of 5 bits, and interrupt 6 for what it does not know.
//!
//! Intel, "80186/80188 High-Integration 16-Bit Microprocessors" (272430); "iAPX 86/88, 186/188 User's Manual,
//! Programmer's Reference" (210911).
//!
//! **Not implemented**: the peripherals on the chip and their control block at port FF20h (interrupt and DMA
//! controllers, timers, chip selects): the board has its own; with them the relocation register, whose ET bit makes ESC
//! interrupt 7.
//! **Known inaccuracies**: no captures of an 80186 are at hand, so what is undefined on it (flags of shifts,
//! multiplications and divisions, opcodes F1h and D6h) is as on the 8086; ESC reads its operand, as on the 8086.

use super::{CpuModel, Features, Processor, SegmentEnd, i8086};
use iced_x86::CpuidFeature as F;

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "80186",
    description: "Intel 80186",
    features: Features::of(&[F::INTEL8086, F::INTEL186]),
    processor: Some(Processor::I80186),
    segment_end: Some(SegmentEnd::GoesOn),
    ..i8086::BARE
};
