//! The commands of a CD-ROM drive (MMC-3, INCITS 360; SFF-8020i revision 2.6 where MMC leaves them out).

use super::Drive;
use super::atapi::{CdRom, DiscRead, Outcome, SPEED_KB_S, Sense};
use super::cd_sector::{self, PREGAP_FRAMES, USER_BYTES, msf};

/// Operation codes.
mod op {
    pub const TEST_UNIT_READY: u8 = 0x00;
    pub const REQUEST_SENSE: u8 = 0x03;
    pub const INQUIRY: u8 = 0x12;
    pub const START_STOP_UNIT: u8 = 0x1B;
    pub const PREVENT_ALLOW: u8 = 0x1E;
    pub const READ_CAPACITY: u8 = 0x25;
    pub const READ_10: u8 = 0x28;
    pub const SEEK_10: u8 = 0x2B;
    pub const READ_SUB_CHANNEL: u8 = 0x42;
    pub const READ_TOC: u8 = 0x43;
    pub const READ_HEADER: u8 = 0x44;
    pub const PLAY_AUDIO_10: u8 = 0x45;
    pub const GET_CONFIGURATION: u8 = 0x46;
    pub const PLAY_AUDIO_MSF: u8 = 0x47;
    pub const GET_EVENT_STATUS: u8 = 0x4A;
    pub const PAUSE_RESUME: u8 = 0x4B;
    pub const STOP_PLAY_SCAN: u8 = 0x4E;
    pub const READ_DISC_INFORMATION: u8 = 0x51;
    pub const MODE_SELECT_10: u8 = 0x55;
    pub const MODE_SENSE_10: u8 = 0x5A;
    pub const PLAY_AUDIO_12: u8 = 0xA5;
    pub const READ_12: u8 = 0xA8;
    pub const READ_CD_MSF: u8 = 0xB9;
    pub const SET_CD_SPEED: u8 = 0xBB;
    pub const MECHANISM_STATUS: u8 = 0xBD;
    pub const READ_CD: u8 = 0xBE;
}

/// Media class events (MMC-3 table 83).
pub(super) const EVENT_NEW_MEDIA: u8 = 2;
/// The medium was taken out.
pub(super) const EVENT_MEDIA_REMOVAL: u8 = 3;
/// Class bit of media events in GET EVENT STATUS NOTIFICATION.
const CLASS_MEDIA: u8 = 1 << 4;
/// ADR 1 (position), control 4 (data track).
const ADR_CONTROL_DATA: u8 = 0x14;
/// The lead-out's number in a table of contents.
const LEAD_OUT: u8 = 0xAA;
/// Audio status: none to tell.
const NO_AUDIO_STATUS: u8 = 0x15;
/// Profile number of a CD-ROM (MMC-3 table 88).
const PROFILE_CDROM: u16 = 0x0008;
/// READ CD byte 9: all fields of a mode 1 sector.
mod field {
    pub const SYNC: u8 = 0x80;
    pub const SUB_HEADER: u8 = 0x40;
    pub const HEADER: u8 = 0x20;
    pub const USER_DATA: u8 = 0x10;
    pub const EDC_ECC: u8 = 0x08;
    pub const ERROR_FLAGS: u8 = 0x06;
}
/// Mode pages.
mod page {
    pub const ERROR_RECOVERY: u8 = 0x01;
    pub const CD_PARAMETERS: u8 = 0x0D;
    pub const AUDIO: u8 = 0x0E;
    pub const CAPABILITIES: u8 = 0x2A;
    pub const ALL: u8 = 0x3F;
}

fn be16(p: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([p[at], p[at + 1]])
}
fn be32(p: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([p[at], p[at + 1], p[at + 2], p[at + 3]])
}

/// Cuts a response to the allocation length.
fn cut(mut data: Vec<u8>, allocation: u16) -> Outcome {
    data.truncate(allocation.into());
    Outcome::Data(data)
}

/// A response that begins with the length, in two bytes, of what follows.
fn with_length(mut data: Vec<u8>, allocation: u16) -> Outcome {
    let len = data.len().saturating_sub(2) as u16;
    data[..2].copy_from_slice(&len.to_be_bytes());
    cut(data, allocation)
}

fn address(lba: u32, as_msf: bool) -> [u8; 4] {
    if as_msf {
        let [m, s, f] = msf(lba);
        [0, m, s, f]
    } else {
        lba.to_be_bytes()
    }
}

impl Drive<'_, CdRom> {
    /// Executes the packet that came.
    pub(super) fn mmc_command(&mut self) -> Result<Outcome, Sense> {
        let p = self.s.cd.packet;
        let code = p[0];
        // These tell of themselves; any other command reports a unit attention first (SFF-8020i section 10.8.20).
        let exempt = matches!(
            code,
            op::INQUIRY | op::REQUEST_SENSE | op::GET_CONFIGURATION | op::GET_EVENT_STATUS
        );
        if !exempt && let Some(attention) = self.s.cd.attention.take() {
            return Err(attention);
        }
        if code != op::REQUEST_SENSE {
            self.s.cd.sense = Sense::NONE;
        }
        match code {
            op::TEST_UNIT_READY => self.ready().map(|_| Outcome::Done),
            op::REQUEST_SENSE => Ok(self.request_sense(p[4])),
            op::INQUIRY => self.inquiry(&p),
            op::START_STOP_UNIT => self.start_stop(p[4]),
            op::PREVENT_ALLOW => {
                self.s.cd.locked = p[4] & 1 != 0;
                Ok(Outcome::Done)
            }
            op::READ_CAPACITY => {
                let last = self.ready()? - 1;
                let block = (USER_BYTES as u32).to_be_bytes();
                Ok(Outcome::Data([last.to_be_bytes(), block].concat()))
            }
            op::READ_10 => self.read(be32(&p, 2), be16(&p, 7).into(), field::USER_DATA, 0),
            op::READ_12 => self.read(be32(&p, 2), be32(&p, 6), field::USER_DATA, 0),
            op::READ_CD => {
                let count = be32(&p, 5) & 0x00FF_FFFF;
                self.read_cd(be32(&p, 2), count, &p)
            }
            op::READ_CD_MSF => {
                let from = cd_sector::lba([p[3], p[4], p[5]]).ok_or(Sense::LBA_OUT_OF_RANGE)?;
                let to = cd_sector::lba([p[6], p[7], p[8]]).ok_or(Sense::LBA_OUT_OF_RANGE)?;
                let count = to.checked_sub(from).ok_or(Sense::INVALID_FIELD)?;
                self.read_cd(from, count, &p)
            }
            op::SEEK_10 => {
                let lba = be32(&p, 2);
                if lba >= self.ready()? {
                    return Err(Sense::LBA_OUT_OF_RANGE);
                }
                self.s.cd.position = lba;
                Ok(Outcome::Done)
            }
            op::READ_SUB_CHANNEL => self.read_sub_channel(&p),
            op::READ_TOC => self.read_toc(&p),
            op::READ_HEADER => {
                let lba = be32(&p, 2);
                if lba >= self.ready()? {
                    return Err(Sense::LBA_OUT_OF_RANGE);
                }
                let mut d = vec![1, 0, 0, 0];
                d.extend(address(lba, p[1] & 2 != 0));
                Ok(cut(d, be16(&p, 7)))
            }
            op::PLAY_AUDIO_10 | op::PLAY_AUDIO_12 | op::PLAY_AUDIO_MSF => {
                self.ready()?;
                // The disc has no audio track.
                Err(Sense::ILLEGAL_MODE)
            }
            op::PAUSE_RESUME => self.ready().and(Err(Sense::SEQUENCE_ERROR)),
            op::STOP_PLAY_SCAN => self.ready().map(|_| Outcome::Done),
            op::GET_CONFIGURATION => Ok(self.get_configuration(&p)),
            op::GET_EVENT_STATUS => self.get_event_status(&p),
            op::READ_DISC_INFORMATION => {
                self.ready()?;
                Ok(disc_information(be16(&p, 7)))
            }
            op::MODE_SENSE_10 => self.mode_sense(&p),
            op::MODE_SELECT_10 => match be16(&p, 7) {
                // PF must be set, pages cannot be saved.
                _ if p[1] & 0x11 != 0x10 => Err(Sense::INVALID_FIELD),
                0 => Ok(Outcome::Done),
                1..=7 => Err(Sense::LIST_LENGTH),
                n => Ok(Outcome::Parameters(n.into())),
            },
            op::SET_CD_SPEED => {
                self.s.cd.speed_kb_s = be16(&p, 2).min(SPEED_KB_S);
                Ok(Outcome::Done)
            }
            op::MECHANISM_STATUS => {
                let cd = &self.s.cd;
                let [_, a, b, c] = cd.position.to_be_bytes();
                let door = u8::from(cd.tray_open) << 4;
                Ok(cut(vec![0, door, a, b, c, 0, 0, 0], be16(&p, 8)))
            }
            _ => Err(Sense::INVALID_COMMAND),
        }
    }

    /// The number of sectors on the disc, if there is one to read.
    fn ready(&self) -> Result<u32, Sense> {
        if self.s.cd.tray_open {
            return Err(Sense::NO_MEDIUM_OPEN);
        }
        match self.unit.sectors() {
            None | Some(0) => Err(Sense::NO_MEDIUM_CLOSED),
            Some(n) => Ok(n),
        }
    }

    fn request_sense(&mut self, allocation: u8) -> Outcome {
        let cd = &mut self.s.cd;
        let mut sense = std::mem::take(&mut cd.sense);
        if sense == Sense::NONE
            && let Some(attention) = cd.attention.take()
        {
            sense = attention;
        }
        let mut d = vec![0; 18];
        d[0] = 0x70 | (u8::from(sense.lba.is_some()) << 7);
        d[2] = sense.key;
        d[3..7].copy_from_slice(&sense.lba.unwrap_or(0).to_be_bytes());
        d[7] = 10;
        d[12] = sense.code;
        d[13] = sense.qualifier;
        cut(d, allocation.into())
    }

    fn inquiry(&mut self, p: &[u8; 12]) -> Result<Outcome, Sense> {
        // No vital product data.
        if p[1] & 1 != 0 || p[2] != 0 {
            return Err(Sense::INVALID_FIELD);
        }
        // CD-ROM, removable, no ANSI version, ATAPI 2 with response format 1.
        let mut d = vec![0x05, 0x80, 0x00, 0x21, 31, 0, 0, 0];
        let mut text = |s: &str, bytes: usize| {
            let padded = format!("{s:bytes$}");
            let ascii = padded
                .bytes()
                .map(|b| if (0x20..0x7F).contains(&b) { b } else { b'?' });
            d.extend(ascii.take(bytes));
        };
        let identity = &self.unit.identity;
        let (vendor, product) = identity
            .model
            .split_once(' ')
            .unwrap_or((&identity.model, ""));
        text(vendor, 8);
        text(product, 16);
        text(&identity.firmware, 4);
        Ok(cut(d, p[4].into()))
    }

    /// Byte 4: bit 0 start, bit 1 load or eject.
    fn start_stop(&mut self, what: u8) -> Result<Outcome, Sense> {
        let cd = &mut self.s.cd;
        match what & 3 {
            0b10 if cd.locked => return Err(Sense::REMOVAL_PREVENTED),
            0b10 => {
                if !cd.tray_open && self.unit.medium.is_some() {
                    cd.media_event = EVENT_MEDIA_REMOVAL;
                }
                cd.tray_open = true;
            }
            0b11 if cd.tray_open => cd.medium_changed(self.unit.medium.is_some()),
            0b01 => {
                self.ready()?;
            }
            _ => {}
        }
        Ok(Outcome::Done)
    }

    fn read(
        &mut self,
        lba: u32,
        count: u32,
        fields: u8,
        sub_channel: u8,
    ) -> Result<Outcome, Sense> {
        let sectors = self.ready()?;
        let end = u64::from(lba) + u64::from(count);
        if end > sectors.into() || (count == 0 && lba >= sectors) {
            return Err(Sense::LBA_OUT_OF_RANGE);
        }
        Ok(Outcome::Read(DiscRead {
            lba,
            remaining: count,
            fields,
            sub_channel,
        }))
    }

    /// READ CD and READ CD MSF: byte 1 names the sector type wanted, byte 9 the fields, byte 10 the sub-channels.
    fn read_cd(&mut self, lba: u32, count: u32, p: &[u8; 12]) -> Result<Outcome, Sense> {
        self.ready()?;
        // Any type, or mode 1; other types are not on the disc.
        match p[1] >> 2 & 7 {
            0 | 2 => {}
            1 | 3..=5 => return Err(Sense::ILLEGAL_MODE),
            _ => return Err(Sense::INVALID_FIELD),
        }
        if p[9] & field::ERROR_FLAGS == field::ERROR_FLAGS {
            return Err(Sense::INVALID_FIELD);
        }
        let sub_channel = match p[10] & 7 {
            0 => 0,
            // Raw P to W, and formatted Q.
            1 => 96,
            2 => 16,
            _ => return Err(Sense::INVALID_FIELD),
        };
        self.read(lba, count, p[9], sub_channel)
    }

    /// The wanted fields of a sector.
    pub(super) fn disc_sector(&mut self, lba: u32, read: &DiscRead) -> Result<Vec<u8>, Sense> {
        let sectors = self.ready()?;
        let mut user = vec![0; USER_BYTES];
        if lba >= sectors || !self.unit.read_sector(lba, &mut user) {
            return Err(Sense {
                lba: Some(lba),
                ..Sense::UNRECOVERED_READ
            });
        }
        if (read.fields, read.sub_channel) == (field::USER_DATA, 0) {
            return Ok(user);
        }
        let raw = cd_sector::raw(lba, &user);
        let mut data = Vec::new();
        let wants = |f: u8| read.fields & f != 0;
        // Mode 1 has no sub-header.
        let _ = field::SUB_HEADER;
        if wants(field::SYNC) {
            data.extend(&raw[..12]);
        }
        if wants(field::HEADER) {
            data.extend(&raw[12..16]);
        }
        if wants(field::USER_DATA) {
            data.extend(&raw[16..2064]);
        }
        if wants(field::EDC_ECC) {
            data.extend(&raw[2064..]);
        }
        match read.fields & field::ERROR_FLAGS {
            0x02 => data.extend([0; 294]),
            0x04 => data.extend([0; 296]),
            _ => {}
        }
        let q = q_channel(lba);
        match read.sub_channel {
            16 => data.extend(q),
            96 => {
                // A bit of each channel in a byte, P in bit 7, Q in bit 6.
                data.extend((0..96).map(|i| (q[i / 8] >> (7 - i % 8) & 1) << 6));
            }
            _ => {}
        }
        Ok(data)
    }

    fn read_sub_channel(&mut self, p: &[u8; 12]) -> Result<Outcome, Sense> {
        self.ready()?;
        let as_msf = p[1] & 2 != 0;
        let lba = self.s.cd.position;
        let mut d = vec![0, NO_AUDIO_STATUS, 0, 0];
        if p[2] & 0x40 != 0 {
            match p[3] {
                1 => {
                    d.extend([1, ADR_CONTROL_DATA, 1, 1]);
                    d.extend(address(lba, as_msf));
                    let relative = if as_msf {
                        lba.wrapping_sub(PREGAP_FRAMES)
                    } else {
                        lba
                    };
                    d.extend(if as_msf && lba < PREGAP_FRAMES {
                        [0, 0, (lba / 75) as u8, (lba % 75) as u8]
                    } else {
                        address(relative, as_msf)
                    });
                }
                // Neither catalogue number nor ISRC: the valid bits are 0.
                2 => d.extend([[2, 0, 0, 0].as_slice(), &[0; 16]].concat()),
                3 => d.extend([[3, ADR_CONTROL_DATA, p[6], 0].as_slice(), &[0; 16]].concat()),
                _ => return Err(Sense::INVALID_FIELD),
            }
        }
        let len = (d.len() - 4) as u16;
        d[2..4].copy_from_slice(&len.to_be_bytes());
        Ok(cut(d, be16(p, 7)))
    }

    fn read_toc(&mut self, p: &[u8; 12]) -> Result<Outcome, Sense> {
        let lead_out = self.ready()?;
        let as_msf = p[1] & 2 != 0;
        // SFF-8020i has the format in byte 9, MMC in byte 2.
        let format = match p[2] & 0x0F {
            0 => p[9] >> 6,
            n => n,
        };
        let mut d = vec![0, 0, 1, 1];
        match format {
            0 => {
                if p[6] > 1 && p[6] != LEAD_OUT {
                    return Err(Sense::INVALID_FIELD);
                }
                if p[6] <= 1 {
                    d.extend([0, ADR_CONTROL_DATA, 1, 0]);
                    d.extend(address(0, as_msf));
                }
                d.extend([0, ADR_CONTROL_DATA, LEAD_OUT, 0]);
                d.extend(address(lead_out, as_msf));
            }
            1 => {
                d.extend([0, ADR_CONTROL_DATA, 1, 0]);
                d.extend(address(0, as_msf));
            }
            2 => {
                let mut point = |point: u8, [m, s, f]: [u8; 3]| {
                    d.extend([1, ADR_CONTROL_DATA, 0, point, 0, 0, 0, 0, m, s, f]);
                };
                point(0xA0, [1, 0, 0]);
                point(0xA1, [1, 0, 0]);
                point(0xA2, msf(lead_out));
                point(1, msf(0));
            }
            // PMA, ATIP and CD-TEXT are not on a pressed data disc.
            _ => return Err(Sense::INVALID_FIELD),
        }
        Ok(with_length(d, be16(p, 7)))
    }

    fn get_configuration(&mut self, p: &[u8; 12]) -> Outcome {
        let present = self.ready().is_ok();
        let current = u8::from(present);
        let profile = PROFILE_CDROM.to_be_bytes();
        // Number, version and flags (bit 1 persistent, bit 0 current), data.
        let features: [(u16, u8, Vec<u8>); 6] = [
            // Profile list.
            (0x0000, 0x03, vec![profile[0], profile[1], current, 0]),
            // Core: ATAPI.
            (0x0001, 0x03, vec![0, 0, 0, 2]),
            // Removable medium: tray, can be ejected and locked.
            (0x0003, 0x03, vec![0x29, 0, 0, 0]),
            // Random readable: blocks of 2048 bytes, one at a time.
            (0x0010, current, vec![0, 0, 8, 0, 0, 1, 0, 0]),
            // CD read.
            (0x001E, current, vec![0, 0, 0, 0]),
            // Power management.
            (0x0100, 0x03, Vec::new()),
        ];
        let (wanted, first) = (p[1] & 3, be16(p, 2));
        let mut d = vec![0; 8];
        if present {
            d[6..8].copy_from_slice(&profile);
        }
        for (number, flags, data) in features {
            let listed = match wanted {
                0 => number >= first,
                1 => number >= first && flags & 1 != 0,
                _ => number == first,
            };
            if listed {
                d.extend(number.to_be_bytes());
                d.extend([flags, data.len() as u8]);
                d.extend(data);
            }
        }
        let len = (d.len() - 4) as u32;
        d[..4].copy_from_slice(&len.to_be_bytes());
        cut(d, be16(p, 7))
    }

    fn get_event_status(&mut self, p: &[u8; 12]) -> Result<Outcome, Sense> {
        // Only polled operation: there is no queue.
        if p[1] & 1 == 0 {
            return Err(Sense::INVALID_FIELD);
        }
        if p[4] & CLASS_MEDIA == 0 {
            // No event available of the classes asked for.
            return Ok(with_length(vec![0, 0, 0x80, CLASS_MEDIA], be16(p, 7)));
        }
        let present = self.unit.medium.is_some() && !self.s.cd.tray_open;
        let cd = &mut self.s.cd;
        let status = u8::from(cd.tray_open) | (u8::from(present) << 1);
        let event = std::mem::take(&mut cd.media_event);
        let d = vec![0, 0, 4, CLASS_MEDIA, event, status, 0, 0];
        Ok(with_length(d, be16(p, 7)))
    }

    /// A mode page's present values (or what of it can be changed).
    fn mode_page(&self, code: u8, changeable: bool) -> Option<Vec<u8>> {
        let cd = &self.s.cd;
        let keep = |b: u8| if changeable { 0 } else { b };
        Some(match code {
            page::ERROR_RECOVERY => {
                let (flags, retries) = if changeable {
                    (0xFF, 0xFF)
                } else {
                    (cd.error_flags, cd.retry_count)
                };
                vec![code, 6, flags, retries, 0, 0, 0, 0]
            }
            // 60 seconds in a minute, 75 frames in a second.
            page::CD_PARAMETERS => vec![code, 6, 0, keep(0x0D), 0, keep(60), 0, keep(75)],
            page::AUDIO => {
                let mut d = vec![code, 14, keep(4), 0, 0, 0, 0, 0];
                d.extend(if changeable { [0xFF; 8] } else { cd.volumes });
                d
            }
            page::CAPABILITIES => {
                let mut d = vec![0; 20];
                d[0] = code;
                d[1] = 18;
                if !changeable {
                    // Mode 2 forms 1 and 2, multi-session.
                    d[4] = 0x70;
                    // Lockable, ejectable, a tray; whether it is locked.
                    d[6] = 0x29 | (u8::from(cd.locked) << 1);
                    d[8..10].copy_from_slice(&SPEED_KB_S.to_be_bytes());
                    d[10..12].copy_from_slice(&256u16.to_be_bytes());
                    // Kilobytes of buffer.
                    d[12..14].copy_from_slice(&128u16.to_be_bytes());
                    d[14..16].copy_from_slice(&cd.speed_kb_s.to_be_bytes());
                }
                d
            }
            _ => return None,
        })
    }

    fn mode_sense(&mut self, p: &[u8; 12]) -> Result<Outcome, Sense> {
        let changeable = match p[2] >> 6 {
            1 => true,
            3 => return Err(Sense::NO_SAVED_PAGES),
            _ => false,
        };
        let medium = match (self.s.cd.tray_open, self.unit.medium.is_some()) {
            (true, _) => 0x71,
            (false, false) => 0x70,
            // Data disc of 120 mm.
            (false, true) => 0x01,
        };
        let mut d = vec![0, 0, medium, 0, 0, 0, 0, 0];
        match p[2] & 0x3F {
            page::ALL => {
                for code in [
                    page::ERROR_RECOVERY,
                    page::CD_PARAMETERS,
                    page::AUDIO,
                    page::CAPABILITIES,
                ] {
                    d.extend(self.mode_page(code, changeable).unwrap_or_default());
                }
            }
            code => d.extend(
                self.mode_page(code, changeable)
                    .ok_or(Sense::INVALID_FIELD)?,
            ),
        }
        Ok(with_length(d, be16(p, 7)))
    }

    /// The parameters of MODE SELECT: a header of 8 bytes, then pages. Nothing changes unless all is well.
    pub(super) fn mode_select(&mut self, list: &[u8]) -> Result<(), Sense> {
        let pages = |mut rest: &[u8]| -> Result<Vec<Vec<u8>>, Sense> {
            let mut all = Vec::new();
            while let [code, len, ..] = *rest {
                let bytes = usize::from(len) + 2;
                let page = rest.get(..bytes).ok_or(Sense::LIST_LENGTH)?;
                let known = self
                    .mode_page(code & 0x3F, false)
                    .ok_or(Sense::INVALID_PARAMETER)?;
                if known.len() != bytes || code & 0x3F == page::CAPABILITIES {
                    return Err(Sense::INVALID_PARAMETER);
                }
                all.push(page.to_vec());
                rest = &rest[bytes..];
            }
            Ok(all)
        };
        let all = pages(list.get(8..).ok_or(Sense::LIST_LENGTH)?)?;
        let cd = &mut self.s.cd;
        for p in all {
            match p[0] & 0x3F {
                page::ERROR_RECOVERY => (cd.error_flags, cd.retry_count) = (p[2], p[3]),
                page::AUDIO => cd.volumes.copy_from_slice(&p[8..16]),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The Q sub-channel of a sector (ECMA-130 chapter 22), padded to 16 bytes: without its CRC, as drives format it.
fn q_channel(lba: u32) -> [u8; 16] {
    let bcd = |n: u8| ((n / 10 % 10) << 4) | (n % 10);
    let [m, s, f] = msf(lba).map(bcd);
    let relative = [
        (lba / 75 / 60) as u8,
        (lba / 75 % 60) as u8,
        (lba % 75) as u8,
    ]
    .map(bcd);
    let mut q = [0; 16];
    // Control 4, ADR 1; track 1, index 1.
    q[..3].copy_from_slice(&[0x41, 0x01, 0x01]);
    q[3..6].copy_from_slice(&relative);
    q[7..10].copy_from_slice(&[m, s, f]);
    q
}

/// READ DISC INFORMATION: one finished session with one track.
fn disc_information(allocation: u16) -> Outcome {
    let mut d = vec![0; 34];
    // Last session complete, disc finished.
    d[2] = 0x0E;
    // First track; sessions; first and last track of the last session.
    d[3..7].copy_from_slice(&[1, 1, 1, 1]);
    // No further session can begin: no addresses.
    d[16..24].fill(0xFF);
    with_length(d, allocation)
}
