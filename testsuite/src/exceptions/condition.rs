//! A condition of the manual: instruction, mode, what is wrong, what must come of it.

use super::stage::{CODE, Ended, Mode, Stage};
use anyhow::{Context, Result};
use cpu::CpuModel;

// Vectors (SDM vol. 3, table 6-1).
pub const DB: u8 = 1;
pub const BP: u8 = 3;
pub const OF: u8 = 4;
pub const BR: u8 = 5;
pub const UD: u8 = 6;
pub const TS: u8 = 10;
pub const NP: u8 = 11;
pub const SS: u8 = 12;
pub const GP: u8 = 13;
pub const PF: u8 = 14;
pub const AC: u8 = 17;

/// Instructions that a condition may take, its handler included.
const INSNS_LIMIT: u64 = 50;
/// The model that has everything.
const MODEL: &str = "max";

/// Which instruction pointer the exception pushes.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum At {
    /// A fault: that of the instruction.
    Instruction,
    /// A trap: that behind it.
    Behind,
    /// In another task or behind a transfer.
    Elsewhere,
}

/// What must come of it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Nothing: the instruction ends, and execution comes to a breakpoint. It is the counterpart that shows that the
    /// conditions beside it, and nothing else, are what faults.
    Completes,
    /// An exception, with its error code where the vector has one.
    Exception(u8, u32, At),
    /// Not exercised, for a reason.
    LeftOut(&'static str),
}

type Prepare = Box<dyn Fn(&mut Stage)>;

/// A condition.
pub struct Condition {
    pub instruction: &'static str,
    pub mode: Mode,
    pub ring: u8,
    pub what: String,
    pub expected: Expected,
    model: &'static str,
    bytes: Vec<u8>,
    prepare: Vec<Prepare>,
    cr2: Option<u64>,
}

impl Condition {
    /// An instruction at a level. It completes, unless [`Condition::faults`] or one beside it says otherwise.
    pub fn new(instruction: &'static str, mode: Mode, ring: u8, what: &str, bytes: &[u8]) -> Self {
        Self {
            instruction,
            mode,
            ring: if mode == Mode::Virtual8086 { 3 } else { ring },
            what: what.to_owned(),
            expected: Expected::Completes,
            model: MODEL,
            bytes: bytes.to_vec(),
            prepare: Vec::new(),
            cr2: None,
        }
    }

    /// Something that is not exercised.
    pub fn left_out(instruction: &'static str, mode: Mode, what: &str, why: &'static str) -> Self {
        let mut condition = Self::new(instruction, mode, 0, what, &[]);
        condition.expected = Expected::LeftOut(why);
        condition
    }

    /// With this set-up, behind those before.
    pub fn with(mut self, prepare: impl Fn(&mut Stage) + 'static) -> Self {
        self.prepare.push(Box::new(prepare));
        self
    }

    /// On this model.
    pub fn on(mut self, model: &'static str) -> Self {
        self.model = model;
        self
    }

    /// A fault; the error code is 0 for vectors that have none.
    pub fn faults(mut self, vector: u8, error: impl Into<u32>) -> Self {
        self.expected = Expected::Exception(vector, error.into(), At::Instruction);
        self
    }

    /// A trap.
    pub fn traps(mut self, vector: u8) -> Self {
        self.expected = Expected::Exception(vector, 0, At::Behind);
        self
    }

    /// An exception that another task, or the target of a transfer, takes.
    pub fn faults_elsewhere(mut self, vector: u8, error: impl Into<u32>) -> Self {
        self.expected = Expected::Exception(vector, error.into(), At::Elsewhere);
        self
    }

    /// A page fault at this address.
    pub fn faults_on_page(mut self, address: u64, error: u32) -> Self {
        self.cr2 = Some(address);
        self.faults(PF, error)
    }

    /// The row's name: unique within instruction and mode.
    pub fn name(&self) -> String {
        let model = if self.model == MODEL {
            String::new()
        } else {
            format!(" on {}", self.model)
        };
        match self.mode {
            Mode::Real | Mode::Virtual8086 => format!("{}{model}", self.what),
            _ => format!("{}, at CPL {}{model}", self.what, self.ring),
        }
    }

    /// Runs it. `None` if it came as expected, else what came.
    pub fn run(&self) -> Result<Option<String>> {
        let model = CpuModel::by_name(self.model);
        let model = model.with_context(|| format!("there is no CPU model {}", self.model))?;
        let mut stage = Stage::new(model, self.mode, self.ring)?;
        for n in self.bytes.len() as u64..0x800 {
            // What is not the instruction is a breakpoint.
            stage.write8(CODE + n, 0xCC);
        }
        stage.write(CODE, &self.bytes);
        for prepare in &self.prepare {
            prepare(&mut stage);
        }
        let ended = stage.run(INSNS_LIMIT);
        let as_expected = match (self.expected, ended) {
            (Expected::Completes, Ended::Exception { vector, .. }) => vector == BP,
            (
                Expected::Exception(vector, error, at),
                Ended::Exception {
                    vector: came,
                    error: code,
                    rip,
                },
            ) => {
                let behind = CODE + self.bytes.len() as u64;
                vector == came
                    && code.is_none_or(|c| c == error)
                    && match at {
                        At::Instruction => rip == CODE,
                        At::Behind => rip == behind,
                        At::Elsewhere => rip != CODE,
                    }
                    && self.cr2.is_none_or(|cr2| cr2 == stage.state.cr2)
            }
            _ => false,
        };
        if as_expected {
            return Ok(None);
        }
        let cr2 = stage.state.cr2;
        let (bytes, expected) = (&self.bytes, self.expected);
        Ok(Some(format!(
            "{bytes:02x?}: expected {expected:x?}, came {ended:x?}, cr2 {cr2:x}"
        )))
    }
}
