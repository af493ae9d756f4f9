use super::X87State;
use serde::{Deserialize, Serialize};

/// Number of vector registers.
pub const VECTOR_REGISTERS: usize = 16;

/// MXCSR after reset: every exception masked (SDM vol. 1, section 10.2.3).
pub const MXCSR_RESET: u32 = 0x1F80;

/// XMM and YMM registers with what controls them (SDM vol. 1, sections 10.2 and 13.3).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SimdState {
    /// YMM0 to YMM15, the least significant quadword first; the first two are the XMM register.
    pub vectors: [[u64; 4]; VECTOR_REGISTERS],
    /// MXCSR.
    pub mxcsr: u32,
    /// XCR0: the state components that XSAVE and the instructions may use.
    pub xcr0: u64,
}

impl Default for SimdState {
    /// The state after reset.
    fn default() -> Self {
        Self {
            vectors: [[0; 4]; VECTOR_REGISTERS],
            mxcsr: MXCSR_RESET,
            xcr0: 1,
        }
    }
}

/// What a processor knows of its last XRSTOR or XRSTORS, for the modified optimisation of XSAVEOPT and XSAVES (SDM vol. 1,
/// section 13.6): XRSTOR_INFO, and the components as they were then, in place of XMODIFIED.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Restored {
    /// The privilege level.
    pub cpl: u8,
    /// The linear address of the area.
    pub address: u64,
    /// The area's XCOMP_BV.
    pub format: u64,
    /// The components that were restored.
    pub components: u64,
    /// Vector registers that there were in the mode of the time.
    pub registers: u8,
    /// x87 state.
    pub x87: X87State,
    /// XMM and YMM registers.
    pub vectors: [[u64; 4]; VECTOR_REGISTERS],
    /// MXCSR.
    pub mxcsr: u32,
    /// PKRU.
    pub pkru: u32,
}
