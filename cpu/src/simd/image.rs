//! FXSAVE and FXRSTOR (SDM vol. 1, section 10.5; vol. 2, "FXSAVE"), and the parts of their area that XSAVE shares.
//!
//! XMM and MXCSR are saved and restored whatever CR4.OSFXSR says (the manual leaves that open).

use super::Simd;
use super::control::{MXCSR_BITS, XCR0_SSE, XCR0_X87};
use super::host::vector::Registers;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::mem::paging::Purpose;
use crate::op::{Instruction, OpRef, Stop};
use crate::x87::fxsave::{self, HEADER_BYTES, Pointers};
use emu_core::Width;
use emu_core::x86::Cr0;

/// Where MXCSR stands in the area.
pub const MXCSR_AT: usize = 24;
/// Where MXCSR_MASK stands.
pub const MXCSR_MASK_AT: usize = 28;
/// Where ST(0) stands.
pub const ST_AT: usize = 32;
/// Where XMM0 stands.
pub const XMM_AT: usize = 160;
/// The size of the part that the processor uses.
pub const LEGACY_BYTES: usize = XMM_AT + 16 * 16;
/// The size of the area; what lies behind that part belongs to software.
pub const AREA_BYTES: u64 = 512;
/// What its address is a multiple of.
const FXSAVE_ALIGNMENT: u64 = 16;

/// FXSAVE; `WIDE`: with REX.W.
pub struct Save<const WIDE: bool>;
/// FXRSTOR.
pub struct Restore<const WIDE: bool>;

const fn pointers(wide: bool) -> Pointers {
    if wide {
        Pointers::Flat
    } else {
        Pointers::Segmented
    }
}

/// A 16-byte field.
pub fn field(bytes: &[u8], at: usize) -> [u8; 16] {
    let mut v = [0; 16];
    v.copy_from_slice(&bytes[at..at + 16]);
    v
}

/// A doubleword.
pub fn doubleword(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Interpreter {
    /// XMM (YMM) registers that exist in this mode.
    pub(crate) fn vector_registers(&self) -> usize {
        if self.is_64_bit() { 16 } else { 8 }
    }

    /// Writes the x87 part of the area.
    pub(crate) fn x87_image(&self, area: &mut [u8], wide: bool) {
        let mut header = fxsave::header(&self.x87, pointers(wide));
        // AMD's keep opcode and pointers to themselves but for an unmasked exception that waits ("AMD64 Architecture
        // Programmer's Manual", volume 5, 26569, "FXSAVE"; later ones save zeros: CPUID leaf 8000_0008h, EBX bit 2).
        if self.model.is_amd() && !self.x87.exception_pending() {
            header[6..].fill(0);
        }
        area[..HEADER_BYTES].copy_from_slice(&header);
        for i in 0..8 {
            let at = ST_AT + 16 * usize::from(i);
            area[at..at + 16].copy_from_slice(&fxsave::register(&self.x87, i));
        }
    }

    /// Takes the x87 part of the area over.
    pub(crate) fn load_x87_image(&mut self, area: &[u8], wide: bool) {
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&area[..HEADER_BYTES]);
        fxsave::load_header(&mut self.x87, pointers(wide), &header);
        for i in 0..8 {
            let bytes = field(area, ST_AT + 16 * usize::from(i));
            fxsave::load_register(&mut self.x87, i, &bytes);
        }
    }

    /// #NM by CR0.EM and TS.
    fn may_fxsave(&mut self) -> Result<(), Stop> {
        let available = !self.cr0.intersects(Cr0::EM | Cr0::TS);
        self.ensure(available, Fault::NM)
    }

    /// The checks of the operand of FXSAVE and FXRSTOR before it is accessed.
    ///
    /// How wide a check of the alignment EFLAGS.AC asks for, and what comes first, the manuals leave open (SDM vol. 2,
    /// "FXSAVE", #AC; "AMD64 Architecture Programmer's Manual", volume 5, 26569, "FXSAVE"). AMD's processors (Zen 4) look at
    /// the first doubleword as if it were read, segment and alignment, but not at its page; then at the alignment of the
    /// whole; and then at the last byte, segment and page. Intel's need not raise #AC, and here do not: see
    /// [`Self::check_area`].
    fn check_fxsave_area(&mut self, op: OpRef, write: bool) -> Result<(), Stop> {
        if !self.model.is_amd() {
            self.check_area(op, AREA_BYTES, FXSAVE_ALIGNMENT, write)?;
            return Ok(());
        }
        let (seg, offset) = (address::segment(&op), Segmented::offset(self, op));
        let linear = self.linear(seg, offset, Width::Dword, false)?;
        self.ensure(linear & (FXSAVE_ALIGNMENT - 1) == 0, Fault::GP0)?;
        self.check_byte(op, AREA_BYTES - 1, write)?;
        Ok(())
    }

    /// Whatever an access of a byte of the memory operand would raise. Gives its linear address.
    pub(crate) fn check_byte(&mut self, op: OpRef, from: u64, write: bool) -> Result<u64, Stop> {
        let (seg, offset) = (address::segment(&op), Segmented::offset(self, op));
        let at = offset.wrapping_add(from) & address::mask(&op);
        let linear = self.linear_of_bytes(seg, at, 1, write)?;
        let privilege = self.data_privilege();
        let purpose = if write {
            Purpose::write(privilege)
        } else {
            Purpose::read(privilege)
        };
        self.translate(linear, purpose)?;
        Ok(linear)
    }

    /// The checks of a memory operand of so many bytes as a whole: what the segment forbids, then the alignment, then the
    /// page of its last byte (as Skylake does; what lies behind what is saved belongs to the operand too). Gives its linear
    /// address.
    pub(crate) fn check_area(
        &mut self,
        op: OpRef,
        bytes: u64,
        alignment: u64,
        write: bool,
    ) -> Result<u64, Stop> {
        let (seg, offset) = (address::segment(&op), Segmented::offset(self, op));
        let linear = self.linear_of_bytes(seg, offset, bytes, write)?;
        self.ensure(linear & (alignment - 1) == 0, Fault::GP0)?;
        let privilege = self.data_privilege();
        let purpose = if write {
            Purpose::write(privilege)
        } else {
            Purpose::read(privilege)
        };
        self.translate(
            self.wrapped(linear.wrapping_add(bytes - 1), linear),
            purpose,
        )?;
        Ok(linear)
    }

    /// Loads `N` bytes (a multiple of 8) of the memory operand.
    pub(crate) fn load_area<const N: usize>(
        &mut self,
        op: OpRef,
        from: u64,
    ) -> Result<[u8; N], Stop> {
        let mut quadwords = [0; LEGACY_BYTES / 8];
        let quadwords = &mut quadwords[..N / 8];
        let (seg, [offset, start], before) = self.parts(op, from, N);
        let (first, rest) = quadwords.split_at_mut(before);
        self.load_wide_slow(seg, offset, 1, first)?;
        if !rest.is_empty() {
            self.load_wide_slow(seg, start, 1, rest)?;
        }
        let mut bytes = [0; N];
        for (chunk, v) in bytes.chunks_exact_mut(8).zip(quadwords) {
            chunk.copy_from_slice(&v.to_le_bytes());
        }
        Ok(bytes)
    }

    /// Stores bytes (a multiple of 8) at the memory operand; what lies before its addresses wrap, all or nothing.
    pub(crate) fn store_area(&mut self, op: OpRef, from: u64, bytes: &[u8]) -> Result<(), Stop> {
        let quadwords: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|c| u64::from(doubleword(c, 0)) | u64::from(doubleword(c, 4)) << 32)
            .collect();
        let (seg, [offset, start], before) = self.parts(op, from, bytes.len());
        let (first, rest) = quadwords.split_at(before);
        self.store_wide_slow(seg, offset, 1, first)?;
        if rest.is_empty() {
            return Ok(());
        }
        self.store_wide_slow(seg, start, 1, rest)
    }

    /// Where so many bytes of the memory operand lie: segment, offset, the offset where they go on when addresses of their
    /// size wrap, and how many quadwords come before. AMD's processors (Zen 4) go on at the start of the segment; for others
    /// nothing wraps.
    fn parts(&self, op: OpRef, from: u64, bytes: usize) -> (usize, [u64; 2], usize) {
        let (seg, offset) = (address::segment(&op), Segmented::offset(self, op));
        let (at, quadwords) = (offset.wrapping_add(from), bytes / 8);
        if !self.model.is_amd() {
            return (seg, [at, 0], quadwords);
        }
        let at = at & address::mask(&op);
        let room = (address::mask(&op) - at) / 8 + 1;
        let before = usize::try_from(room).map_or(quadwords, |room| room.min(quadwords));
        let next = at.wrapping_add(8 * before as u64) & address::mask(&op);
        (seg, [at, next], before)
    }
}

impl<const WIDE: bool> Instruction for Save<WIDE> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may_fxsave()?;
        cpu.check_fxsave_area(op, true)?;
        let mut area = [0; LEGACY_BYTES];
        cpu.x87_image(&mut area, WIDE);
        area[MXCSR_AT..MXCSR_AT + 4].copy_from_slice(&cpu.simd.mxcsr.to_le_bytes());
        area[MXCSR_MASK_AT..MXCSR_MASK_AT + 4].copy_from_slice(&MXCSR_BITS.to_le_bytes());
        let n = cpu.vector_registers();
        for (i, register) in cpu.simd.registers.first(n).enumerate() {
            let at = XMM_AT + 16 * i;
            area[at..at + 16].copy_from_slice(&register[0].to_le_bytes());
        }
        cpu.store_area(op, 0, &area[..XMM_AT + 16 * n])
    }
}

impl<const WIDE: bool> Instruction for Restore<WIDE> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may_fxsave()?;
        cpu.check_fxsave_area(op, false)?;
        let area: [u8; LEGACY_BYTES] = cpu.load_area(op, 0)?;
        let mxcsr = doubleword(&area, MXCSR_AT);
        cpu.ensure(Simd::mxcsr_can_hold(mxcsr), Fault::GP0)?;
        cpu.load_x87_image(&area, WIDE);
        // Both components count as modified, whatever was loaded.
        if let Some(restored) = &mut cpu.restored {
            restored.components &= !(XCR0_X87 | XCR0_SSE);
        }
        cpu.set_mxcsr(mxcsr);
        for i in 0..cpu.vector_registers() {
            let v = u128::from_le_bytes(field(&area, XMM_AT + 16 * i));
            cpu.simd.registers.set_low(Registers::place(i), v);
        }
        cpu.show_ferr();
        Ok(())
    }
}
