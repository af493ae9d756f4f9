//! The characters on the screen of a text mode.

use super::Registers;
use super::memory::VideoMemory;
use emu_core::cap::{TextCell, TextScreen};

/// The characters that `registers` show of `memory`; `None` in a graphics mode.
pub fn text<M: VideoMemory + ?Sized>(registers: &Registers, memory: &M) -> Option<TextScreen> {
    let (crtc, attribute) = (&registers.crtc, &registers.attribute);
    if registers.graphics.graphics()
        || registers.dispi.mode().is_some()
        || !registers.sequencer.runs()
        || !crtc.retrace_runs()
    {
        return None;
    }
    let columns = crtc.columns() as usize;
    let row_lines = crtc.row_lines() << u32::from(crtc.double_scan());
    let rows = (crtc.lines() / row_lines) as usize;
    let mut screen = TextScreen {
        columns,
        rows,
        cells: Vec::with_capacity(columns * rows),
        cursor: None,
        palette: attribute.dac_addresses(false).map(|a| registers.dac.rgb(a)),
        blink: attribute.blink(),
    };
    let cursor = crtc.cursor_rows().map(|_| crtc.cursor_location());
    for row in 0..rows {
        let line = crtc.scan_line(row as u32 * row_lines, attribute.panning_compatible());
        for column in 0..columns {
            let counter = crtc.counter(&line, column as u32);
            let maps = memory.maps(crtc.memory_address(counter, 0).into());
            let [character, attribute, ..] = maps.to_le_bytes();
            screen.cells.push(TextCell {
                character,
                attribute,
            });
            if cursor == Some(counter) {
                screen.cursor = Some((column, row));
            }
        }
    }
    Some(screen)
}
