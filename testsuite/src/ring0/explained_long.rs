//! Rules about differences in long mode.

use super::explained::Rule;

/// Those in long mode.
pub static LONG_RULES: &[Rule] = &[];
