use serde::{Deserialize, Serialize};

/// The x87 FPU (SDM vol. 1, section 8.1).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct X87State {
    /// The eight registers by physical number (not by distance from the top): significand.
    pub significand: [u64; 8],
    /// The eight registers by physical number: sign and exponent.
    pub sign_exponent: [u16; 8],
    /// Control word.
    pub control: u16,
    /// Status word, TOP in bits 11 to 13.
    pub status: u16,
    /// Bit n: physical register n is not empty.
    pub not_empty: u8,
    /// Opcode of the last non-control instruction (11 bits).
    pub opcode: u16,
    /// Address of that instruction.
    pub instruction_pointer: u64,
    /// Its code selector.
    pub instruction_selector: u16,
    /// Address of its memory operand.
    pub data_pointer: u64,
    /// The operand's selector.
    pub data_selector: u16,
}

impl Default for X87State {
    /// The state after FNINIT.
    fn default() -> Self {
        Self {
            significand: [0; 8],
            sign_exponent: [0; 8],
            control: 0x037F,
            status: 0,
            not_empty: 0,
            opcode: 0,
            instruction_pointer: 0,
            instruction_selector: 0,
            data_pointer: 0,
            data_selector: 0,
        }
    }
}
