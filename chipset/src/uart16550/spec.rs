//! Registers of the PC16550D (National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with
//! FIFOs", June 1995). Section numbers are that datasheet's.

use bitflags::bitflags;
use emu_core::Frequency;
use serde::{Deserialize, Serialize};

/// Ports of the chip.
pub const PORTS: u16 = 8;
/// The crystal of a PC's serial port.
pub const CRYSTAL: Frequency = Frequency::hz(1_843_200);
/// Crystal clocks in a bit for each step of the divisor.
pub const CLOCKS_PER_BIT: u64 = 16;
/// Depth of each FIFO.
pub const FIFO_BYTES: usize = 16;
/// A character waits this many character times in the receiver FIFO before it times out (section 8.5).
pub const TIMEOUT_CHARACTERS: u64 = 4;

bitflags! {
    /// Interrupt enable register (8.6). Bits 7-4 are zero.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Ier: u8 {
        /// ERBFI: received data, and time-out.
        const RECEIVED_DATA = 0x01;
        /// ETBEI: transmitter holding register empty.
        const TRANSMITTER_EMPTY = 0x02;
        /// ELSI: receiver line status.
        const LINE_STATUS = 0x04;
        /// EDSSI: modem status.
        const MODEM_STATUS = 0x08;
    }
}

/// Interrupt identification (8.5), bits 3-0, by priority.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Interrupt {
    /// Overrun, parity, framing error or break.
    LineStatus = 0x06,
    /// Data available, or the trigger level reached.
    ReceivedData = 0x04,
    /// Data waits in the FIFO and nothing happens.
    Timeout = 0x0C,
    /// Transmitter holding register empty.
    TransmitterEmpty = 0x02,
    /// Modem status.
    ModemStatus = 0x00,
}

/// Interrupt identification: none pending.
pub const IIR_NONE: u8 = 0x01;
/// Interrupt identification bits 7-6: the FIFOs are enabled.
pub const IIR_FIFOS: u8 = 0xC0;

bitflags! {
    /// FIFO control register (8.4), write only. Bits 5-4 are reserved.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Fcr: u8 {
        /// The FIFOs are used.
        const ENABLE = 0x01;
        /// Clears the receiver FIFO.
        const CLEAR_RECEIVER = 0x02;
        /// Clears the transmitter FIFO.
        const CLEAR_TRANSMITTER = 0x04;
        /// RXRDY and TXRDY in mode 1.
        const DMA_MODE = 0x08;
        /// Trigger level, low bit.
        const TRIGGER_LOW = 0x40;
        /// Trigger level, high bit.
        const TRIGGER_HIGH = 0x80;
    }
}

impl Fcr {
    /// Characters in the receiver FIFO that give an interrupt.
    pub const fn trigger_level(self) -> usize {
        match self.bits() >> 6 {
            0 => 1,
            1 => 4,
            2 => 8,
            _ => 14,
        }
    }
}

/// Line control register (8.1).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Lcr(pub u8);

impl Lcr {
    const STOP_BITS: u8 = 0x04;
    const PARITY: u8 = 0x08;
    const BREAK: u8 = 0x40;
    const DLAB: u8 = 0x80;

    /// WLS1-WLS0: 5 to 8 data bits.
    pub const fn data_bits(self) -> u8 {
        5 + (self.0 & 3)
    }
    /// Data bits of a character, as a mask.
    pub const fn data_mask(self) -> u8 {
        0xFF >> (8 - self.data_bits())
    }
    /// Length of a character on the line, start and stop bits included, in half bits.
    pub const fn half_bits(self) -> u64 {
        let stop = match (self.0 & Self::STOP_BITS != 0, self.data_bits()) {
            (false, _) => 2,
            (true, 5) => 3,
            (true, _) => 4,
        };
        let parity = if self.0 & Self::PARITY != 0 { 2 } else { 0 };
        2 + 2 * self.data_bits() as u64 + parity + stop
    }
    /// The transmitter sends a break.
    pub const fn sends_break(self) -> bool {
        self.0 & Self::BREAK != 0
    }
    /// DLAB: the first two ports are the divisor latch.
    pub const fn divisor_access(self) -> bool {
        self.0 & Self::DLAB != 0
    }
}

bitflags! {
    /// Modem control register (8.7). Bits 7-5 are zero.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Mcr: u8 {
        /// Data terminal ready.
        const DTR = 0x01;
        /// Request to send.
        const RTS = 0x02;
        /// OUT1.
        const OUT1 = 0x04;
        /// OUT2: on a PC it lets interrupts out.
        const OUT2 = 0x08;
        /// The transmitter is led back to the receiver, modem outputs to modem inputs.
        const LOOP = 0x10;
    }
}

bitflags! {
    /// Line status register (8.3).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Lsr: u8 {
        /// Data ready.
        const DR = 0x01;
        /// Overrun error.
        const OE = 0x02;
        /// Parity error.
        const PE = 0x04;
        /// Framing error.
        const FE = 0x08;
        /// Break interrupt.
        const BI = 0x10;
        /// Transmitter holding register (or FIFO) empty.
        const THRE = 0x20;
        /// Transmitter empty.
        const TEMT = 0x40;
        /// An error in the receiver FIFO.
        const FIFO_ERROR = 0x80;
    }
}

impl Lsr {
    /// What reading the register clears, and what gives a line status interrupt.
    pub const ERRORS: Self = Self::OE.union(Self::PE).union(Self::FE).union(Self::BI);
}

bitflags! {
    /// Modem status register (8.8).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Msr: u8 {
        /// CTS changed.
        const DCTS = 0x01;
        /// DSR changed.
        const DDSR = 0x02;
        /// RI went from active to inactive.
        const TERI = 0x04;
        /// DCD changed.
        const DDCD = 0x08;
        /// Clear to send.
        const CTS = 0x10;
        /// Data set ready.
        const DSR = 0x20;
        /// Ring indicator.
        const RI = 0x40;
        /// Data carrier detect.
        const DCD = 0x80;
    }
}

impl Msr {
    /// The levels.
    pub const LEVELS: Self = Self::CTS.union(Self::DSR).union(Self::RI).union(Self::DCD);
    /// What reading the register clears.
    pub const DELTAS: Self = Self::DCTS
        .union(Self::DDSR)
        .union(Self::TERI)
        .union(Self::DDCD);
}

/// A register that can be read.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ReadReg {
    /// Receiver buffer.
    Rbr,
    /// Interrupt enable.
    Ier,
    /// Interrupt identification.
    Iir,
    /// Line control.
    Lcr,
    /// Modem control.
    Mcr,
    /// Line status.
    Lsr,
    /// Modem status.
    Msr,
    /// Scratch.
    Scr,
    /// Divisor latch, low.
    Dll,
    /// Divisor latch, high.
    Dlm,
}

impl ReadReg {
    /// Decodes A2-A0.
    pub const fn decode(a: u16, dlab: bool) -> Self {
        match (a & 7, dlab) {
            (0, false) => Self::Rbr,
            (0, true) => Self::Dll,
            (1, false) => Self::Ier,
            (1, true) => Self::Dlm,
            (2, _) => Self::Iir,
            (3, _) => Self::Lcr,
            (4, _) => Self::Mcr,
            (5, _) => Self::Lsr,
            (6, _) => Self::Msr,
            _ => Self::Scr,
        }
    }
}

/// A register that can be written. (Line and modem status are for factory tests: writes are ignored.)
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WriteReg {
    /// Transmitter holding register.
    Thr,
    /// Interrupt enable.
    Ier,
    /// FIFO control.
    Fcr,
    /// Line control.
    Lcr,
    /// Modem control.
    Mcr,
    /// Scratch.
    Scr,
    /// Divisor latch, low.
    Dll,
    /// Divisor latch, high.
    Dlm,
}

impl WriteReg {
    /// Decodes A2-A0.
    pub const fn decode(a: u16, dlab: bool) -> Option<Self> {
        Some(match (a & 7, dlab) {
            (0, false) => Self::Thr,
            (0, true) => Self::Dll,
            (1, false) => Self::Ier,
            (1, true) => Self::Dlm,
            (2, _) => Self::Fcr,
            (3, _) => Self::Lcr,
            (4, _) => Self::Mcr,
            (7, _) => Self::Scr,
            _ => return None,
        })
    }
}
