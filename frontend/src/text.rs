//! A text screen as Unicode: code page 437, the character set of the IBM PC.

use emu_core::cap::TextScreen;

/// Code page 437 as its glyphs look, the control characters included.
const CP437: &str = concat!(
    "\u{0}☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼",
    " !\"#$%&'()*+,-./0123456789:;<=>?",
    "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_",
    "`abcdefghijklmnopqrstuvwxyz{|}~⌂",
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ",
    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
);

/// The glyphs by code.
pub fn glyphs() -> Vec<char> {
    CP437.chars().collect()
}

/// The whole screen: rows without their trailing blanks, joined by line feeds.
pub fn screen_string(screen: &TextScreen) -> String {
    let glyphs = glyphs();
    let mut rows = Vec::new();
    for row in screen.cells.chunks(screen.columns.max(1)).take(screen.rows) {
        let text: String = row
            .iter()
            .map(|c| match c.character {
                0 | 0xFF => ' ',
                n => glyphs[usize::from(n)],
            })
            .collect();
        rows.push(text.trim_end().to_string());
    }
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu_core::cap::TextCell;

    #[test]
    fn the_code_page_has_256_glyphs_in_their_places() {
        let g = glyphs();
        assert_eq!(g.len(), 256);
        assert_eq!((g[0x41], g[0x7F], g[0x80], g[0xB0]), ('A', '⌂', 'Ç', '░'));
        assert_eq!((g[0xDB], g[0xE1], g[0xFE]), ('█', 'ß', '■'));
    }

    #[test]
    fn rows_lose_their_trailing_blanks() {
        let text = b"A:\\>   \0\0\0ok  ";
        let cells = text
            .iter()
            .map(|&character| TextCell {
                character,
                attribute: 7,
            })
            .collect();
        let screen = TextScreen {
            columns: 7,
            rows: 2,
            cells,
            ..TextScreen::default()
        };
        assert_eq!(screen_string(&screen), "A:\\>\n   ok");
    }
}
