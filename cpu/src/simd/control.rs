//! Who may execute vector instructions, and what their float exceptions do.

use super::{Ready, Simd, host};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::Stop;
use crate::softfloat::{Flags, FloatEnv};
use emu_core::x86::{Cr0, Cr4, Exception};

/// MXCSR bits that exist (SDM vol. 1, section 10.2.3); what MXCSR_MASK in the FXSAVE area says.
pub const MXCSR_BITS: u32 = 0xFFFF;
/// XCR0: x87.
pub const XCR0_X87: u64 = 1 << 0;
/// XCR0: SSE.
pub const XCR0_SSE: u64 = 1 << 1;
/// XCR0: AVX.
pub const XCR0_AVX: u64 = 1 << 2;
/// XCR0: PKRU.
pub const XCR0_PKRU: u64 = 1 << 9;
/// XCR0 bits that any model has.
pub const XCR0_BITS: u64 = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_PKRU;

impl Interpreter {
    /// Replaces MXCSR.
    pub(super) fn set_mxcsr(&mut self, v: u32) {
        self.simd.mxcsr = v;
        self.settle_simd();
    }

    /// Replaces XCR0.
    pub(super) fn set_xcr0(&mut self, v: u64) {
        self.simd.xcr0 = v;
        self.settle_simd();
    }

    /// Says what is known of CR0, CR4, XCR0 and MXCSR, whenever one of them has changed.
    pub(crate) fn settle_simd(&mut self) {
        self.simd.ready = self.simd_ready();
    }

    fn simd_ready(&self) -> Ready {
        let here = !self.cr0.contains(Cr0::TS);
        let sse = here && self.is_sse_enabled();
        let avx = here && self.is_avx_enabled();
        let rounds = host::inexact_is_known(self.simd.mxcsr);
        let mut ready = Ready::empty();
        ready.set(Ready::SSE, sse);
        ready.set(Ready::AVX, avx);
        ready.set(Ready::SSE_ROUNDS, sse && rounds);
        ready.set(Ready::AVX_ROUNDS, avx && rounds);
        ready
    }

    /// Whether so much is known.
    #[inline(always)]
    pub(super) fn is_ready(&self, ready: Ready) -> bool {
        debug_assert_eq!(self.simd.ready, self.simd_ready());
        self.simd.ready.contains(ready)
    }

    fn is_sse_enabled(&self) -> bool {
        self.cr4.contains(Cr4::OSFXSR) && !self.cr0.contains(Cr0::EM)
    }

    fn is_avx_enabled(&self) -> bool {
        const BOTH: u64 = XCR0_SSE | XCR0_AVX;
        self.cr4.contains(Cr4::OSXSAVE) && self.simd.xcr0 & BOTH == BOTH
    }

    /// What SSE instructions ask for (SDM vol. 3, table 13-1): #UD with CR0.EM or without CR4.OSFXSR, #NM with CR0.TS.
    #[inline(always)]
    pub(crate) fn may_sse(&mut self) -> Result<(), Stop> {
        if self.cr0.intersects(Cr0::EM | Cr0::TS) || !self.cr4.contains(Cr4::OSFXSR) {
            return Err(self.refuse_sse(self.cr4.contains(Cr4::OSFXSR)));
        }
        Ok(())
    }

    #[cold]
    fn refuse_sse(&mut self, enabled: bool) -> Stop {
        if self.cr0.contains(Cr0::EM) || !enabled {
            self.fault(Fault::UD)
        } else {
            self.fault(Fault::NM)
        }
    }

    /// What VEX instructions ask for (SDM vol. 2, section 2.4): #UD unless CR4.OSXSAVE and both XCR0.SSE and AVX, #NM
    /// with CR0.TS.
    #[inline(always)]
    pub(crate) fn may_avx(&mut self) -> Result<(), Stop> {
        if !self.is_avx_enabled() {
            return Err(self.fault(Fault::UD));
        }
        if self.cr0.contains(Cr0::TS) {
            return Err(self.fault(Fault::NM));
        }
        Ok(())
    }

    /// What MMX instructions ask for (SDM vol. 3, table 12-1): #UD with CR0.EM, #NM with CR0.TS, #MF if an x87
    /// exception is pending.
    #[inline(always)]
    pub(crate) fn may_mmx(&mut self) -> Result<(), Stop> {
        if self.cr0.intersects(Cr0::EM | Cr0::TS) {
            return Err(self.refuse_sse(true));
        }
        self.take_x87_exception()
    }

    /// After an MMX instruction other than EMMS: TOP is 0 and no register is empty (SDM vol. 1, section 9.5.1).
    #[inline(always)]
    pub(crate) fn enter_mmx(&mut self) {
        self.x87.top = 0;
        self.x87.occupied = 0xFF;
    }

    /// The environment of float instructions.
    #[inline(always)]
    pub(crate) fn float_env(&self) -> FloatEnv {
        FloatEnv::sse(self.simd.mxcsr)
    }

    /// Takes over the flags that an instruction raised, all lanes together; with an unmasked one it faults and writes
    /// nothing: #XM, or #UD without CR4.OSXMMEXCPT. An unmasked exception of any lane found before computing hides
    /// those that computing raised (SDM vol. 1, section 11.5.3), but for those of an earlier operation of the instruction.
    #[inline(always)]
    pub(crate) fn settle(&mut self, env: &FloatEnv) -> Result<(), Stop> {
        if !env.unmasked().is_empty() {
            return Err(self.unmasked_exception(env));
        }
        let mxcsr = self.simd.mxcsr | u32::from(env.flags.bits());
        if mxcsr != self.simd.mxcsr {
            self.set_mxcsr(mxcsr);
        }
        Ok(())
    }

    #[cold]
    fn unmasked_exception(&mut self, env: &FloatEnv) -> Stop {
        let flags = if env.suppresses_result() {
            env.flags & Flags::PRE_COMPUTATION | env.earlier
        } else {
            env.flags
        };
        self.set_mxcsr(self.simd.mxcsr | u32::from(flags.bits()));
        self.fault(if self.cr4.contains(Cr4::OSXMMEXCPT) {
            Fault::of(Exception::SimdFloatingPoint)
        } else {
            Fault::UD
        })
    }
}

impl Simd {
    /// Whether MXCSR can hold a value.
    pub const fn mxcsr_can_hold(v: u32) -> bool {
        v & !MXCSR_BITS == 0
    }
}
