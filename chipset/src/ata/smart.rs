//! SMART: self-monitoring, analysis and reporting (ATA/ATAPI-6 section 8.54).
//!
//! The attributes are those whose truth an emulated disk can know: errors that the host reported, and power cycles.

use super::identify::checksum;
use super::spec::{Error, smart};
use super::{COMMAND_NS, Disk, Drive, Job, Work};
use emu_core::Cx;
use emu_core::host::SECTOR_BYTES;
use serde::{Deserialize, Serialize};

/// Self-test log entries that the log holds (table 66).
const SELF_TESTS: usize = 21;

/// What SMART remembers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct SmartState {
    pub enabled: bool,
    autosave: bool,
    errors: u16,
    /// The self-tests that were run (their subcommands), the latest last.
    self_tests: Vec<u8>,
    tests_run: u16,
}

impl SmartState {
    /// A sector failed.
    pub fn count_error(&mut self) {
        self.errors = self.errors.saturating_add(1);
    }
}

/// An attribute: identifier, flags, value, threshold.
const ATTRIBUTES: [(u8, u16, u8); 3] = [
    // Raw read error rate: pre-failure, updated on line.
    (0x01, 0x0003, 6),
    // Reallocated sectors.
    (0x05, 0x0003, 10),
    // Uncorrectable errors reported.
    (0xBB, 0x0002, 0),
];

fn finish(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(SECTOR_BYTES, 0);
    bytes[511] = checksum(&bytes[..511]);
    bytes
}

/// READ DATA (table 60).
fn data(s: &SmartState) -> Vec<u8> {
    let mut b = vec![0; SECTOR_BYTES];
    b[0] = 0x10;
    for (i, (id, flags, _)) in ATTRIBUTES.iter().enumerate() {
        let at = 2 + 12 * i;
        b[at] = *id;
        b[at + 1..at + 3].copy_from_slice(&flags.to_le_bytes());
        let raw = if *id == 0x05 { 0 } else { s.errors };
        let value = 100u16.saturating_sub(raw).max(1) as u8;
        b[at + 3] = value;
        b[at + 4] = value;
        b[at + 5..at + 7].copy_from_slice(&raw.to_le_bytes());
    }
    // Off-line collection completed without error; the last self-test too.
    b[362] = 0x02;
    b[363] = 0x00;
    // Total seconds of off-line collection.
    b[364..366].copy_from_slice(&1u16.to_le_bytes());
    // Off-line immediate and self-test are there.
    b[367] = 0x01 | 0x10;
    // Saves before power modes; autosave is there.
    b[368..370].copy_from_slice(&0x0003u16.to_le_bytes());
    // Error log.
    b[370] = 0x01;
    // Minutes of the short and the extended self-test.
    b[372] = 1;
    b[373] = 1;
    finish(b)
}

/// READ THRESHOLDS (SFF-8035i).
fn thresholds() -> Vec<u8> {
    let mut b = vec![0; SECTOR_BYTES];
    b[0] = 0x10;
    for (i, (id, _, threshold)) in ATTRIBUTES.iter().enumerate() {
        b[2 + 12 * i] = *id;
        b[3 + 12 * i] = *threshold;
    }
    finish(b)
}

fn log(s: &SmartState, address: u8) -> Option<Vec<u8>> {
    let mut b = vec![0; SECTOR_BYTES];
    match address {
        smart::LOG_DIRECTORY => {
            // Version 1, then the sectors of each log; the directory has no checksum.
            b[0] = 1;
            b[2 * usize::from(smart::LOG_ERROR_SUMMARY)] = 1;
            b[2 * usize::from(smart::LOG_SELF_TEST)] = 1;
            return Some(b);
        }
        smart::LOG_ERROR_SUMMARY => {
            // Version 1, no entries kept, but their count.
            b[0] = 1;
            b[452..454].copy_from_slice(&s.errors.to_le_bytes());
        }
        smart::LOG_SELF_TEST => {
            b[0..2].copy_from_slice(&1u16.to_le_bytes());
            for (i, test) in s.self_tests.iter().take(SELF_TESTS).enumerate() {
                b[2 + 24 * i] = *test;
            }
            let newest = s.self_tests.len().min(SELF_TESTS) as u8;
            b[508] = newest;
        }
        _ => return None,
    }
    Some(finish(b))
}

impl Drive<'_, Disk> {
    pub(super) fn smart(&mut self, cx: &mut Cx<'_>) {
        let (subcommand, mid, high) = (self.s.features[0], self.s.lba_mid[0], self.s.lba_high[0]);
        let (low, count) = (self.s.lba_low[0], self.s.count[0]);
        let s = &mut self.s.disk.smart;
        if (mid, high) != smart::SIGNATURE || !(s.enabled || subcommand == smart::ENABLE) {
            return self.fail(Error::ABRT);
        }
        match subcommand {
            smart::ENABLE => s.enabled = true,
            smart::DISABLE => s.enabled = false,
            smart::ATTRIBUTE_AUTOSAVE => match count {
                0x00 => s.autosave = false,
                0xF1 => s.autosave = true,
                _ => return self.fail(Error::ABRT),
            },
            smart::SAVE_ATTRIBUTE_VALUES => {}
            // The signature stays as the host wrote it: no threshold is exceeded.
            smart::RETURN_STATUS => {}
            smart::EXECUTE_OFF_LINE => match low {
                // Off-line routine; short and extended self-test, off-line and captive; abort.
                0x00 | 0x7F => {}
                0x01 | 0x02 | 0x81 | 0x82 => {
                    if s.self_tests.len() >= SELF_TESTS {
                        s.self_tests.remove(0);
                    }
                    s.self_tests.push(low);
                    s.tests_run = s.tests_run.saturating_add(1);
                }
                _ => return self.fail(Error::ABRT),
            },
            smart::READ_DATA | smart::READ_THRESHOLDS | smart::READ_LOG => {
                let sector = match subcommand {
                    smart::READ_DATA => Some(data(s)),
                    smart::READ_THRESHOLDS => Some(thresholds()),
                    _ if count == 1 => log(s, low),
                    _ => None,
                };
                let Some(sector) = sector else {
                    return self.fail(Error::ABRT);
                };
                self.s.buffer = sector;
                self.s.job = Job::default();
                return self.busy(Work::Offer, COMMAND_NS, cx);
            }
            _ => return self.fail(Error::ABRT),
        }
        self.done();
    }
}
