//! Registers of the coprocessor error logic (82371SB, order number 290550, "CERR: Coprocessor Error Register").

/// CERR: a write of any value clears the request of IRQ 13 and asserts IGNNE# while FERR# is asserted.
pub const PORT_COPROCESSOR_ERROR: u16 = 0xF0;
