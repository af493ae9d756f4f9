//! The machines that exist: what is wired to what.

mod cmos;
mod pc;
mod roms;

use crate::board::Board;
use crate::builder::Conflicts;
use crate::linux::LinuxError;
use crate::media::{self, DriveSlot, MediaError, OpenOptions};
use crate::run::Machine;
use crate::snapshot::MediaIdentity;
use crate::spec::{Accel, BoardKind, MachineSpec, MediumSource, RomSource, SpecError};
use chipset::local_apic::{Config, spec::Family};
use cpu::models::Traits;
use cpu::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId};
use emu_core::host::{BlockBackend, CharBackend, MemoryDisk};
use emu_core::ram::OutOfMemory;
use emu_core::time::Frequency;

/// What the host supplies besides files: the other ends of character devices.
#[derive(Default)]
pub struct Hosts {
    /// COM1, COM2, ...
    pub serial: Vec<Box<dyn CharBackend>>,
    /// Ports E9h and 402h.
    pub debugcon: Option<Box<dyn CharBackend>>,
}

/// Why a machine cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Its description.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Its wiring.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// The host has no memory for it.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    /// A medium.
    #[error(transparent)]
    Medium(#[from] MediaError),
    /// A kernel.
    #[error(transparent)]
    Linux(#[from] LinuxError),
    /// KVM.
    #[error(transparent)]
    Kvm(#[from] accel_kvm::KvmError),
    /// The firmware.
    #[error("{0}")]
    Firmware(String),
}

/// Builds a board and powers it on; says which media are in its drives.
pub fn build_board(
    spec: &MachineSpec,
    hosts: Hosts,
) -> Result<(Board, Vec<MediaIdentity>), BuildError> {
    spec.check()?;
    match spec.board {
        BoardKind::Pc => {
            let model = cpu_model(&spec.cpu)?;
            pc::build(spec, local_apic(model), model.has_smm(), hosts)
        }
    }
}

/// Builds a machine and powers it on.
pub fn build(spec: &MachineSpec, hosts: Hosts) -> Result<Machine, BuildError> {
    let model = cpu_model(&spec.cpu)?;
    if spec.bios == RomSource::BuiltIn && model.processor.is_some() {
        return Err(SpecError::CpuTooOld { model: model.name }.into());
    }
    let (board, media) = build_board(spec, hosts)?;
    let cpu: Box<dyn CpuBackend> = match spec.accel {
        Accel::Interp => {
            let mut cpu = Box::new(Interpreter::new(CpuId(0), model));
            cpu.seed_random(spec.seed);
            cpu
        }
        Accel::Kvm => accel_kvm::cpu(&model.reset_state(), spec.insns_per_second)?,
    };
    let mut machine = Machine::new(board, cpu, model.name);
    machine.set_media(media);
    Ok(machine)
}

/// What the local APICs' timers divide: a front-side bus of the P6's time.
const BUS_CLOCK: Frequency = Frequency::hz(66_666_667);

/// The local APIC inside the bootstrap processor of that model.
fn local_apic(model: &CpuModel) -> Option<Config> {
    if !model.traits.contains(Traits::APIC) {
        return None;
    }
    // The Pentium and family 6 up to the Pentium III (model 0Bh) have the APIC bus (SDM vol. 3, section 11.1).
    let signature = model.signature;
    let (family, number) = (
        signature >> 8 & 0xF,
        signature >> 12 & 0xF0 | signature >> 4 & 0xF,
    );
    let family = if model.traits.contains(Traits::X2APIC) {
        Family::X2apic
    } else if family == 5 || family == 6 && number <= 0x0B {
        Family::P6
    } else {
        Family::Xapic
    };
    Some(Config {
        family,
        tsc_deadline: model.traits.contains(Traits::TSC_DEADLINE),
        id: 0,
        bootstrap: true,
        virtual_wire: true,
        clock: BUS_CLOCK,
    })
}

/// The CPU model that a description names.
fn cpu_model(text: &str) -> Result<&'static CpuModel, SpecError> {
    CpuModel::named(text).map_err(SpecError::Cpu)
}

/// Opens what a drive is given.
fn open(
    source: &MediumSource,
    slot: DriveSlot,
    drive: &str,
    identities: &mut Vec<MediaIdentity>,
) -> Result<Box<dyn BlockBackend>, BuildError> {
    let medium: Box<dyn BlockBackend> = match source {
        MediumSource::Demo => Box::new(MemoryDisk::new(demo_disk::image().to_vec(), false)),
        MediumSource::File {
            path,
            read_only,
            snapshot,
        } => {
            let options = OpenOptions {
                read_only: *read_only,
                snapshot: *snapshot,
            };
            media::open(path, slot, options)?
        }
    };
    identities.push(MediaIdentity {
        drive: drive.to_string(),
        medium: medium.describe(),
        sectors: medium.sectors(),
    });
    Ok(medium)
}
