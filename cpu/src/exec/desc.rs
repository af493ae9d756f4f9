//! Segment registers and descriptors: MOV, PUSH and POP of segment registers, LDS and its kin, the descriptor-table
//! registers, and the instructions that ask about selectors (SDM vol. 3, chapter 3 and section 5.10).

use super::operand::{As, Place, Source};
use crate::alu::Int;
use crate::alu::flags::ZF;
use crate::context::Context;
use crate::fault::Fault;
use crate::interpreter::{Interpreter, mode};
use crate::mem::address::{self, Address, Segmented};
use crate::mem::segment::Segment;
use crate::mem::tlb::Privilege;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::x86::{
    Cr4, DescriptorTable, Gpr, Seg, SegmentAttributes as A, SegmentRegister, Selector, SystemType,
};

/// A descriptor as it was read from its table.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// The eight bytes.
    pub raw: u64,
    /// Bits 63 to 32 of a base or entry point: the second half of a system descriptor in IA-32e mode.
    pub high: u32,
    /// The linear address they came from.
    pub at: u64,
}

impl Descriptor {
    /// Access rights.
    pub fn attributes(self) -> A {
        A::from_bits_retain((self.raw >> 40) as u32 & 0xF0FF)
    }
    /// Base address.
    pub fn base(self) -> u64 {
        (self.raw >> 16 & 0xFF_FFFF) | (self.raw >> 56) << 24 | u64::from(self.high) << 32
    }
    /// Limit in bytes.
    pub fn limit(self) -> u32 {
        let limit = (self.raw & 0xFFFF | self.raw >> 32 & 0xF_0000) as u32;
        if self.attributes().contains(A::GRANULAR) {
            limit << 12 | 0xFFF
        } else {
            limit
        }
    }
    /// Privilege level.
    pub fn dpl(self) -> u8 {
        self.attributes().dpl()
    }
    /// Present.
    pub fn is_present(self) -> bool {
        self.attributes().contains(A::PRESENT)
    }
    /// A code segment.
    pub fn is_code(self) -> bool {
        self.attributes().contains(A::NON_SYSTEM | A::CODE)
    }
    /// A conforming code segment.
    pub fn is_conforming(self) -> bool {
        self.is_code() && self.attributes().contains(A::EXPAND_DOWN)
    }
    /// A code segment of 64-bit mode, in IA-32e mode.
    pub fn is_code_64(self) -> bool {
        self.attributes()
            .contains(A::NON_SYSTEM | A::CODE | A::LONG)
    }
    /// The stack table entry that a gate of IA-32e mode names; 0: none.
    pub fn gate_stack(self) -> u64 {
        self.raw >> 32 & 7
    }
    /// A data segment that can be written.
    pub fn is_writable_data(self) -> bool {
        let a = self.attributes();
        a.contains(A::NON_SYSTEM | A::WRITABLE) && !a.contains(A::CODE)
    }
    /// A data segment, or code that can be read.
    pub fn is_readable(self) -> bool {
        let a = self.attributes();
        a.contains(A::NON_SYSTEM) && (!a.contains(A::CODE) || a.contains(A::WRITABLE))
    }
    /// The type of a system descriptor; `None` for code, data and the reserved types.
    pub fn system_type(self) -> Option<SystemType> {
        use SystemType as T;
        if self.attributes().contains(A::NON_SYSTEM) {
            return None;
        }
        Some(match self.attributes().segment_type() {
            1 => T::Tss16Available,
            2 => T::Ldt,
            3 => T::Tss16Busy,
            4 => T::CallGate16,
            5 => T::TaskGate,
            6 => T::InterruptGate16,
            7 => T::TrapGate16,
            9 => T::Tss32Available,
            11 => T::Tss32Busy,
            12 => T::CallGate32,
            14 => T::InterruptGate32,
            15 => T::TrapGate32,
            _ => return None,
        })
    }
    /// A TSS that is not busy.
    pub fn is_available_tss(self) -> bool {
        use SystemType::{Tss16Available, Tss32Available};
        matches!(self.system_type(), Some(Tss16Available | Tss32Available))
    }
    /// A TSS that is busy.
    pub fn is_busy_tss(self) -> bool {
        use SystemType::{Tss16Busy, Tss32Busy};
        matches!(self.system_type(), Some(Tss16Busy | Tss32Busy))
    }
    /// Whether a gate or TSS is of the 32-bit kind.
    pub fn is_32_bit_system(self) -> bool {
        self.attributes().segment_type() & 8 != 0
    }
    /// The selector in a gate.
    pub fn gate_selector(self) -> Selector {
        Selector((self.raw >> 16) as u16)
    }
    /// The entry point in a gate.
    pub fn gate_offset(self) -> u64 {
        let low = self.raw & 0xFFFF;
        if self.is_32_bit_system() {
            low | self.raw >> 32 & 0xFFFF_0000 | u64::from(self.high) << 32
        } else {
            low
        }
    }
    /// How many parameters a call gate copies.
    pub fn gate_parameters(self) -> u64 {
        self.raw >> 32 & 0x1F
    }
    /// What a segment register holds after it was loaded with this descriptor.
    pub fn register(self, selector: Selector) -> SegmentRegister {
        let attributes = self.attributes() | A::USABLE;
        let accessed = if attributes.contains(A::NON_SYSTEM) {
            A::ACCESSED
        } else {
            A::empty()
        };
        SegmentRegister {
            selector,
            base: self.base(),
            limit: self.limit(),
            attributes: attributes | accessed,
        }
    }
}

/// A selector with another requested privilege level.
pub fn with_rpl(selector: Selector, rpl: u8) -> Selector {
    Selector(selector.0 & !3 | u16::from(rpl & 3))
}

/// A segment register that holds a null selector: it cannot be used.
pub fn null_register(selector: Selector) -> SegmentRegister {
    SegmentRegister {
        selector,
        ..SegmentRegister::default()
    }
}

/// SS with a null selector at a privilege level, which its hidden part keeps.
pub fn null_stack(selector: Selector, cpl: u8) -> SegmentRegister {
    SegmentRegister {
        selector,
        attributes: A::empty().with_dpl(cpl),
        ..SegmentRegister::default()
    }
}

/// A segment register in virtual-8086 mode (SDM vol. 3, section 20.1.1).
pub fn virtual_8086_register(selector: Selector) -> SegmentRegister {
    SegmentRegister {
        selector,
        base: u64::from(selector.0) << 4,
        limit: 0xFFFF,
        attributes: (A::PRESENT | A::NON_SYSTEM | A::WRITABLE | A::ACCESSED | A::USABLE)
            .with_dpl(3),
    }
}

impl Interpreter {
    /// Whether the model is older than the 80386: descriptors have no upper word, system types none above 7.
    pub(crate) fn is_16_bit_model(&self) -> bool {
        self.model.flags_writable <= 0xFFFF
    }

    /// #GP(0) unless CPL is 0.
    pub(crate) fn require_cpl_0(&mut self) -> Result<(), Stop> {
        if self.cpl == 0 {
            Ok(())
        } else {
            Err(self.fault(Fault::GP0))
        }
    }

    /// #UD in real and virtual-8086 mode.
    pub(crate) fn require_protected(&mut self) -> Result<(), Stop> {
        if self.is_protected() {
            Ok(())
        } else {
            Err(self.fault(Fault::UD))
        }
    }

    /// `condition`, or else `fault`.
    pub(crate) fn ensure(&mut self, condition: bool, fault: Fault) -> Result<(), Stop> {
        if condition {
            Ok(())
        } else {
            Err(self.fault(fault))
        }
    }

    /// Reads eight bytes of a descriptor table.
    pub(crate) fn read_descriptor(&mut self, at: u64) -> Result<Descriptor, Stop> {
        let mut raw = self.load_linear(at, Width::Qword, Privilege::Supervisor)?;
        if self.is_16_bit_model() {
            raw &= 0x0000_FFFF_FFFF_FFFF;
            if raw >> 44 & 1 == 0 && raw >> 43 & 1 != 0 {
                raw &= !(0xF << 40);
            }
        }
        Ok(Descriptor { raw, high: 0, at })
    }

    /// Reads a gate or system descriptor: of 16 bytes in IA-32e mode (SDM vol. 3, sections 3.5.2 and 6.14.1).
    /// `Ok(None)`: the type field of the second half is not 0.
    pub(crate) fn read_wide_descriptor(&mut self, at: u64) -> Result<Option<Descriptor>, Stop> {
        let low = self.read_descriptor(at)?;
        if !self.is_long() {
            return Ok(Some(low));
        }
        let high = self.read_descriptor(self.system_address(at, 8))?.raw;
        let d = Descriptor {
            high: high as u32,
            ..low
        };
        Ok((high >> 40 & 0x1F == 0).then_some(d))
    }

    /// Reads the descriptor of an LDT, a TSS or a call gate in full; `fault` if it lies outside of its table, or in
    /// IA-32e mode is malformed.
    pub(crate) fn fetch_system_descriptor(
        &mut self,
        selector: Selector,
        fault: Fault,
    ) -> Result<Descriptor, Stop> {
        let d = self.fetch_descriptor(selector, fault)?;
        if !self.is_long() {
            return Ok(d);
        }
        let last = Selector(selector.0.wrapping_add(8));
        let fits = last.0 > selector.0 && self.descriptor_address(last).is_some();
        self.ensure(fits, fault)?;
        let wide = self.read_wide_descriptor(d.at)?;
        wide.ok_or_else(|| self.fault(fault))
    }

    /// The type of a system descriptor as the present mode has it: IA-32e mode knows no 16-bit ones and no task gates
    /// (SDM vol. 3, table 3-2).
    pub(crate) fn type_of(&self, d: Descriptor) -> Option<SystemType> {
        use SystemType as T;
        d.system_type().filter(|t| {
            !self.is_long()
                || !matches!(
                    t,
                    T::Tss16Available
                        | T::Tss16Busy
                        | T::CallGate16
                        | T::TaskGate
                        | T::InterruptGate16
                        | T::TrapGate16
                )
        })
    }

    /// #UMIP: instructions that tell a program about the system's tables fault (SDM vol. 3, section 2.5, CR4.UMIP).
    pub(crate) fn require_visible_tables(&mut self) -> Result<(), Stop> {
        let hidden = self.cr4.contains(Cr4::UMIP) && self.cpl != 0;
        self.ensure(!hidden, Fault::GP0)
    }

    /// The linear address of a selector's descriptor, if the table reaches that far.
    pub(crate) fn descriptor_address(&self, selector: Selector) -> Option<u64> {
        let offset = selector.table_offset();
        if selector.is_local() {
            let t = &self.ldtr;
            let fits = t.attributes.contains(A::USABLE) && offset + 7 <= t.limit;
            fits.then(|| self.system_address(t.base, offset.into()))
        } else {
            let fits = offset + 7 <= u32::from(self.gdtr.limit);
            fits.then(|| self.system_address(self.gdtr.base, offset.into()))
        }
    }

    /// Reads the descriptor of a selector; `fault` if it lies outside of its table.
    pub(crate) fn fetch_descriptor(
        &mut self,
        selector: Selector,
        fault: Fault,
    ) -> Result<Descriptor, Stop> {
        match self.descriptor_address(selector) {
            Some(at) => self.read_descriptor(at),
            None => Err(self.fault(fault)),
        }
    }

    /// Sets the accessed bit of a code or data descriptor in its table.
    pub(crate) fn mark_accessed(&mut self, d: Descriptor) -> Result<(), Stop> {
        if d.attributes().contains(A::ACCESSED) {
            return Ok(());
        }
        let at = self.system_address(d.at, 5);
        self.store_linear(
            at,
            Width::Byte,
            Privilege::Supervisor,
            d.raw >> 40 & 0xFF | 1,
        )
    }

    /// Replaces a segment register; `update_mode` must follow.
    pub(crate) fn put_segment(&mut self, seg: Seg, reg: SegmentRegister) {
        self.segments[seg as usize] = Segment::new(reg, self.segment_rules(seg));
    }

    /// What a segment register holds after a load in real or virtual-8086 mode. Real mode leaves limit and rights
    /// alone (SDM vol. 3, section 10.9.1 relies on it; known as unreal mode).
    pub(crate) fn real_register(&self, seg: Seg, selector: Selector) -> SegmentRegister {
        if self.is_virtual_8086() {
            return virtual_8086_register(selector);
        }
        SegmentRegister {
            selector,
            base: u64::from(selector.0) << 4,
            ..*self.segment(seg)
        }
    }

    /// Loads a segment register other than CS (SDM vol. 2, "MOV", loading of segment registers).
    pub(crate) fn load_segment(&mut self, seg: Seg, selector: Selector) -> Result<(), Stop> {
        if !self.is_protected() {
            let reg = self.real_register(seg, selector);
            self.set_segment(seg, reg);
            return Ok(());
        }
        let gp = Fault::gp(selector);
        if selector.is_null() {
            if seg == Seg::Ss {
                // In 64-bit mode a stack needs no segment, but at CPL 3.
                let ok = self.is_64_bit() && self.cpl != 3 && selector.rpl() == self.cpl;
                self.ensure(ok, Fault::GP0)?;
                self.set_segment(seg, null_stack(selector, self.cpl));
            } else {
                self.set_segment(seg, null_register(selector));
            }
            return Ok(());
        }
        let d = self.fetch_descriptor(selector, gp)?;
        if seg == Seg::Ss {
            let ok = selector.rpl() == self.cpl && d.is_writable_data() && d.dpl() == self.cpl;
            self.ensure(ok, gp)?;
            self.ensure(d.is_present(), Fault::ss(selector))?;
        } else {
            self.ensure(d.is_readable(), gp)?;
            let allowed = d.is_conforming() || self.cpl.max(selector.rpl()) <= d.dpl();
            self.ensure(allowed, gp)?;
            self.ensure(d.is_present(), Fault::np(selector))?;
        }
        self.mark_accessed(d)?;
        self.set_segment(seg, d.register(selector));
        Ok(())
    }

    /// Goes on behind `op`, in another block if the loaded segment register calls for it.
    fn after_segment_load(&mut self, seg: Seg, mode_before: u32, op: OpRef) -> Result<(), Stop> {
        if seg != Seg::Ss && self.mode == mode_before {
            return Ok(());
        }
        self.rip = self.next_rip(op);
        Err(Stop::Branch)
    }

    /// Loads `T` from `distance` bytes behind the start of the memory operand.
    pub(crate) fn load_part<T: Int>(&mut self, op: OpRef, distance: u64) -> Result<T, Stop> {
        let offset = part_offset(self, op, distance);
        self.load_at::<T, Segmented>(address::segment(&op), offset)
    }

    /// Reads the far pointer at the memory operand.
    pub(crate) fn load_far_pointer<T: Int>(&mut self, op: OpRef) -> Result<(Selector, u64), Stop> {
        let offset: T = self.load_part(op, 0)?;
        let selector: u16 = self.load_part(op, T::BYTES as u64)?;
        Ok((Selector(selector), offset.to_u64()))
    }
}

fn part_offset(cpu: &Interpreter, op: OpRef, distance: u64) -> u64 {
    let offset = Segmented::offset(cpu, op).wrapping_add(distance);
    offset & address::mask(&op)
}

fn numbered(n: u8) -> Seg {
    Seg::ALL[usize::from(n % 6)]
}

/// A value that an instruction stores to a register or to 16 bits of memory.
pub trait Stored: 'static {
    /// The value.
    fn value(cpu: &mut Interpreter, op: OpRef) -> Result<u64, Stop>;
}

/// An instruction that stores `V`.
pub struct Store<V, T, D>(As<(V, T, D)>);

impl<V: Stored, T: Int, D: Place<T>> Instruction for Store<V, T, D> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = V::value(cpu, op)?;
        D::set(cpu, op, T::from_u64(v))
    }
}

/// What an instruction does with a 16-bit operand.
pub trait Taken: 'static {
    /// What must hold before the operand is read.
    fn check(cpu: &mut Interpreter) -> Result<(), Stop>;
    /// Takes the operand.
    fn take(cpu: &mut Interpreter, op: OpRef, v: u16) -> Result<(), Stop>;
}

/// An instruction that takes a 16-bit operand.
pub struct Take<V, S>(As<(V, S)>);

impl<V: Taken, S: Source<u16>> Instruction for Take<V, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        V::check(cpu)?;
        let v = S::get(cpu, op)?;
        V::take(cpu, op, v)
    }
}

/// MOV r/m, Sreg: `a` is the segment register.
pub struct FromSegment;
/// SLDT.
pub struct Sldt;
/// STR.
pub struct Str;

impl Stored for FromSegment {
    fn value(cpu: &mut Interpreter, op: OpRef) -> Result<u64, Stop> {
        Ok(cpu.segment(numbered(op.a)).selector.0.into())
    }
}
impl Stored for Sldt {
    fn value(cpu: &mut Interpreter, _: OpRef) -> Result<u64, Stop> {
        cpu.require_protected()?;
        cpu.require_visible_tables()?;
        Ok(cpu.ldtr.selector.0.into())
    }
}
impl Stored for Str {
    fn value(cpu: &mut Interpreter, _: OpRef) -> Result<u64, Stop> {
        cpu.require_protected()?;
        cpu.require_visible_tables()?;
        Ok(cpu.tr.selector.0.into())
    }
}

/// MOV Sreg, r/m16: `a` is the segment register.
pub struct ToSegment;
/// LLDT.
pub struct Lldt;
/// LTR.
pub struct Ltr;
/// VERR.
pub struct Verr;
/// VERW.
pub struct Verw;

impl Taken for ToSegment {
    fn check(_: &mut Interpreter) -> Result<(), Stop> {
        Ok(())
    }
    fn take(cpu: &mut Interpreter, op: OpRef, v: u16) -> Result<(), Stop> {
        let (seg, mode) = (numbered(op.a), cpu.mode);
        cpu.load_segment(seg, Selector(v))?;
        if seg == Seg::Ss {
            cpu.mov_ss_shadow = true;
        }
        cpu.after_segment_load(seg, mode, op)
    }
}

impl Taken for Lldt {
    fn check(cpu: &mut Interpreter) -> Result<(), Stop> {
        cpu.require_protected()?;
        cpu.require_cpl_0()
    }
    fn take(cpu: &mut Interpreter, _: OpRef, v: u16) -> Result<(), Stop> {
        let selector = Selector(v);
        if selector.is_null() {
            cpu.ldtr = null_register(selector);
            return Ok(());
        }
        let gp = Fault::gp(selector);
        cpu.ensure(!selector.is_local(), gp)?;
        let d = cpu.fetch_system_descriptor(selector, gp)?;
        cpu.ensure(d.system_type() == Some(SystemType::Ldt), gp)?;
        cpu.ensure(d.is_present(), Fault::np(selector))?;
        let reaches = !cpu.is_long() || cpu.is_canonical(d.base());
        cpu.ensure(reaches, gp)?;
        cpu.ldtr = d.register(selector);
        Ok(())
    }
}

impl Taken for Ltr {
    fn check(cpu: &mut Interpreter) -> Result<(), Stop> {
        cpu.require_protected()?;
        cpu.require_cpl_0()
    }
    fn take(cpu: &mut Interpreter, _: OpRef, v: u16) -> Result<(), Stop> {
        let selector = Selector(v);
        cpu.ensure(!selector.is_null(), Fault::GP0)?;
        let gp = Fault::gp(selector);
        cpu.ensure(!selector.is_local(), gp)?;
        let d = cpu.fetch_system_descriptor(selector, gp)?;
        let available = d.is_available_tss() && cpu.type_of(d).is_some();
        cpu.ensure(available, gp)?;
        cpu.ensure(d.is_present(), Fault::np(selector))?;
        let reaches = !cpu.is_long() || cpu.is_canonical(d.base());
        cpu.ensure(reaches, gp)?;
        let at = cpu.system_address(d.at, 5);
        cpu.store_linear(
            at,
            Width::Byte,
            Privilege::Supervisor,
            d.raw >> 40 & 0xFF | BUSY,
        )?;
        cpu.tr = d.register(selector);
        cpu.tr.attributes |= A::WRITABLE;
        Ok(())
    }
}

/// The busy bit in the type field of a TSS descriptor (SDM vol. 3, section 7.2.2).
pub const BUSY: u64 = 1 << 1;

/// Whether a selector's descriptor can be reached, with the privilege that code at this level with this selector has.
fn visible(cpu: &mut Interpreter, selector: Selector) -> Result<Option<Descriptor>, Stop> {
    if selector.is_null() {
        return Ok(None);
    }
    let Some(at) = cpu.descriptor_address(selector) else {
        return Ok(None);
    };
    let d = cpu.read_descriptor(at)?;
    let allowed = d.is_conforming() || cpu.cpl.max(selector.rpl()) <= d.dpl();
    Ok(allowed.then_some(d))
}

fn set_zf(cpu: &mut Interpreter, on: bool) {
    cpu.flags = cpu.flags.with(ZF, if on { ZF } else { 0 });
}

impl Taken for Verr {
    fn check(cpu: &mut Interpreter) -> Result<(), Stop> {
        cpu.require_protected()
    }
    fn take(cpu: &mut Interpreter, _: OpRef, v: u16) -> Result<(), Stop> {
        let d = visible(cpu, Selector(v))?;
        set_zf(cpu, d.is_some_and(Descriptor::is_readable));
        Ok(())
    }
}

impl Taken for Verw {
    fn check(cpu: &mut Interpreter) -> Result<(), Stop> {
        cpu.require_protected()
    }
    fn take(cpu: &mut Interpreter, _: OpRef, v: u16) -> Result<(), Stop> {
        let d = visible(cpu, Selector(v))?;
        set_zf(cpu, d.is_some_and(Descriptor::is_writable_data));
        Ok(())
    }
}

/// LAR: access rights to `a`.
pub struct Lar<T, S>(As<(T, S)>);

impl<T: Int, S: Source<u16>> Instruction for Lar<T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        use SystemType as Y;
        cpu.require_protected()?;
        let selector = Selector(S::get(cpu, op)?);
        let d = visible(cpu, selector)?.filter(|d| {
            d.attributes().contains(A::NON_SYSTEM)
                || cpu.type_of(*d).is_some_and(|t| {
                    !matches!(
                        t,
                        Y::InterruptGate16 | Y::TrapGate16 | Y::InterruptGate32 | Y::TrapGate32
                    )
                })
        });
        if let Some(d) = d {
            cpu.regs.set(op.a, T::from_u64(d.raw >> 32 & 0x00F0_FF00));
        }
        set_zf(cpu, d.is_some());
        Ok(())
    }
}

/// LSL: limit to `a`.
pub struct Lsl<T, S>(As<(T, S)>);

impl<T: Int, S: Source<u16>> Instruction for Lsl<T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        use SystemType as Y;
        cpu.require_protected()?;
        let selector = Selector(S::get(cpu, op)?);
        let d = visible(cpu, selector)?.filter(|d| {
            d.attributes().contains(A::NON_SYSTEM)
                || matches!(
                    cpu.type_of(*d),
                    Some(
                        Y::Tss16Available
                            | Y::Tss16Busy
                            | Y::Ldt
                            | Y::Tss32Available
                            | Y::Tss32Busy
                    )
                )
        });
        if let Some(d) = d {
            cpu.regs.set(op.a, T::from_u64(d.limit().into()));
        }
        set_zf(cpu, d.is_some());
        Ok(())
    }
}

/// ARPL: the destination's RPL is raised to that of register `a`; one that is as high already is not written, so it may
/// lie where nothing can be written (as P6 and later do).
pub struct Arpl<D>(As<D>);

impl<D: Place<u16>> Instruction for Arpl<D> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_protected()?;
        let rpl = cpu.regs.get::<u16>(op.a) & 3;
        let old = D::get(cpu, op)?;
        let raised = old & 3 < rpl;
        if raised {
            D::set(cpu, op, old & !3 | rpl)?;
        }
        set_zf(cpu, raised);
        Ok(())
    }
}

/// PUSH Sreg: `a` is the segment register.
pub struct PushSegment<T>(As<T>);

impl<T: Int> Instruction for PushSegment<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = cpu.segment(numbered(op.a)).selector.0;
        cpu.push::<T, Segmented>(T::from_u64(v.into()))
    }
}

/// POP Sreg: `a` is the segment register. The stack pointer moves by the width that the old SS has.
pub struct PopSegment<T>(As<T>);

impl<T: Int> Instruction for PopSegment<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (seg, mode) = (numbered(op.a), cpu.mode);
        let v = cpu.peek::<T, Segmented>()?.to_u64() as u16;
        let sp = cpu
            .regs
            .named::<u64>(Gpr::Rsp)
            .wrapping_add(T::BYTES as u64);
        cpu.load_segment(seg, Selector(v))?;
        if mode & mode::CODE_64 != 0 {
            cpu.regs.set_named(Gpr::Rsp, sp);
        } else if mode & mode::STACK_32 != 0 {
            cpu.regs.set_named(Gpr::Rsp, sp as u32);
        } else {
            cpu.regs.set_named(Gpr::Rsp, sp as u16);
        }
        if seg == Seg::Ss {
            cpu.mov_ss_shadow = true;
        }
        cpu.after_segment_load(seg, mode, op)
    }
}

/// POP CS, which only the 8086 executes: execution goes on at the same offset in the new segment.
pub struct PopCs;

impl Instruction for PopCs {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let selector = Selector(cpu.peek::<u16, Segmented>()?);
        let next = cpu.next_rip(op);
        cpu.drop_from_stack::<u16, Segmented>(2);
        let reg = cpu.real_register(Seg::Cs, selector);
        cpu.set_segment(Seg::Cs, reg);
        cpu.rip = next;
        Err(Stop::Branch)
    }
}

/// LDS, LES, LFS, LGS, LSS: offset to `a`, selector to the segment register that the second slot names.
pub struct LoadFar<T>(As<T>);

impl<T: Int> Instruction for LoadFar<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (selector, offset) = cpu.load_far_pointer::<T>(op)?;
        let (seg, mode) = (numbered(op.second() as u8), cpu.mode);
        cpu.load_segment(seg, selector)?;
        cpu.regs.set(op.a, T::from_u64(offset));
        cpu.after_segment_load(seg, mode, op)
    }
}

/// Which of the two tables without a selector.
pub trait Table: 'static {
    /// The register.
    fn of(cpu: &mut Interpreter) -> &mut DescriptorTable;
}

/// GDTR.
pub struct Global;
/// IDTR.
pub struct Interrupts;

impl Table for Global {
    fn of(cpu: &mut Interpreter) -> &mut DescriptorTable {
        &mut cpu.gdtr
    }
}
impl Table for Interrupts {
    fn of(cpu: &mut Interpreter) -> &mut DescriptorTable {
        &mut cpu.idtr
    }
}

/// LGDT and LIDT. With a 16-bit operand size the base has 24 bits, in 64-bit mode 64.
pub struct LoadTable<R, const WIDE: bool>(As<R>);

impl<R: Table, const WIDE: bool> Instruction for LoadTable<R, WIDE> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        let limit: u16 = cpu.load_part(op, 0)?;
        let base = if cpu.is_64_bit() {
            let base: u64 = cpu.load_part(op, 2)?;
            let canonical = cpu.is_canonical(base);
            cpu.ensure(canonical, Fault::GP0)?;
            base
        } else {
            let base: u32 = cpu.load_part(op, 2)?;
            u64::from(if WIDE { base } else { base & 0xFF_FFFF })
        };
        *R::of(cpu) = DescriptorTable { base, limit };
        Ok(())
    }
}

/// SGDT and SIDT. The 80286 stores FFh in the last byte; later parts store all of the base.
pub struct StoreTable<R>(As<R>);

impl<R: Table> Instruction for StoreTable<R> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_visible_tables()?;
        let DescriptorTable { base, limit } = *R::of(cpu);
        let width = if cpu.is_64_bit() {
            Width::Qword
        } else {
            Width::Dword
        };
        let base = if cpu.is_16_bit_model() {
            base | 0xFF00_0000
        } else {
            base
        };
        let seg = address::segment(&op);
        let (first, second) = (part_offset(cpu, op, 0), part_offset(cpu, op, 2));
        let limit_place = cpu.place(seg, first, Width::Word)?;
        let base_place = cpu.place(seg, second, width)?;
        cpu.close_slow(limit_place, Width::Word, limit.into());
        cpu.close_slow(base_place, width, base & width.mask());
        Ok(())
    }
}
