//! Our core alone in each mode, for what is tested without a host or a board.

pub mod stage;
