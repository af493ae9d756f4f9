//! AES, PCLMULQDQ, SHA.

use super::Apply::{Lanes, Third};
use super::{Row, row};
use crate::simd::crypto::*;
use iced_x86::Mnemonic as M;

const NO: M = M::INVALID;

pub const ROWS: &[Row] = &[
    row(M::Aesenc, M::Vaesenc, Lanes(encrypt)),
    row(M::Aesenclast, M::Vaesenclast, Lanes(encrypt_last)),
    row(M::Aesdec, M::Vaesdec, Lanes(decrypt)),
    row(M::Aesdeclast, M::Vaesdeclast, Lanes(decrypt_last)),
    row(M::Aesimc, M::Vaesimc, Lanes(unmix)),
    row(M::Aeskeygenassist, M::Vaeskeygenassist, Lanes(key_assist)),
    row(M::Pclmulqdq, M::Vpclmulqdq, Lanes(carryless)),
    row(M::Sha1nexte, NO, Lanes(sha1_next)),
    row(M::Sha1msg1, NO, Lanes(sha1_message_1)),
    row(M::Sha1msg2, NO, Lanes(sha1_message_2)),
    row(M::Sha1rnds4, NO, Lanes(sha1_rounds)),
    row(M::Sha256msg1, NO, Lanes(sha256_message_1)),
    row(M::Sha256msg2, NO, Lanes(sha256_message_2)),
    row(M::Sha256rnds2, NO, Third(sha256_rounds)),
];
