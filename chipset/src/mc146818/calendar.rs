//! The clock and calendar bytes: one second forward, and from a date.

use super::spec::{self, B, index};

/// A value of the calendar as a register holds it.
fn encode(value: u8, b: B) -> u8 {
    if b.contains(B::DM) {
        value
    } else {
        ((value / 10) << 4) | (value % 10)
    }
}

/// One more, in the register's own number system. What is no valid digit is carried as if it were the last.
fn plus_one(raw: u8, b: B) -> u8 {
    if b.contains(B::DM) {
        raw.wrapping_add(1)
    } else if raw & 0x0F >= 9 {
        (raw & 0xF0).wrapping_add(0x10)
    } else {
        raw + 1
    }
}

/// A counter from `first` to `last`: true if it wrapped.
fn count(register: &mut u8, first: u8, last: u8, b: B) -> bool {
    let wraps = *register >= encode(last, b);
    *register = if wraps {
        encode(first, b)
    } else {
        plus_one(*register, b)
    };
    wraps
}

/// Hours: true at midnight.
fn count_hours(hours: &mut u8, b: B) -> bool {
    if b.contains(B::H24) {
        return count(hours, 0, 23, b);
    }
    let pm = *hours & spec::HOURS_PM;
    let mut twelve = *hours & !spec::HOURS_PM;
    // 12 is followed by 1; the half of the day changes between 11 and 12.
    let was_eleven = twelve == encode(11, b);
    count(&mut twelve, 1, 12, b);
    let pm = if was_eleven { pm ^ spec::HOURS_PM } else { pm };
    *hours = (twelve & !spec::HOURS_PM) | pm;
    was_eleven && pm == 0
}

fn last_date(month: u8, year: u8, b: B) -> u8 {
    let (month, year) = if b.contains(B::DM) {
        (month, year)
    } else {
        let binary = |raw: u8| (raw >> 4).wrapping_mul(10).wrapping_add(raw & 0x0F);
        (binary(month), binary(year))
    };
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Daylight saving (section "Register B", DSE): on the last Sunday in April 1:59:59 is followed by 3:00:00, on the
/// last Sunday in October the first 1:59:59 by 1:00:00. Gives the hour to continue with.
fn daylight_saving_hour(bank: &[u8], b: B, fell_back: &mut bool) -> Option<u8> {
    let is = |at: usize, value: u8| bank[at] == encode(value, b);
    let in_last_week = bank[index::DATE] >= encode(if is(index::MONTH, 4) { 24 } else { 25 }, b);
    let at_the_change = b.contains(B::DSE)
        && is(index::HOURS, 1)
        && is(index::MINUTES, 59)
        && is(index::SECONDS, 59)
        && is(index::DAY_OF_WEEK, 1)
        && in_last_week;
    if !at_the_change {
        return None;
    }
    if is(index::MONTH, 4) {
        return Some(encode(3, b));
    }
    (is(index::MONTH, 10) && !std::mem::replace(fell_back, true)).then(|| encode(1, b))
}

/// One second passes. `fell_back`: today's hour was already repeated.
pub(super) fn advance_one_second(bank: &mut [u8], b: B, fell_back: &mut bool) {
    let special_hour = daylight_saving_hour(bank, b, fell_back);
    if !count(&mut bank[index::SECONDS], 0, 59, b) || !count(&mut bank[index::MINUTES], 0, 59, b) {
        return;
    }
    if let Some(hour) = special_hour {
        bank[index::HOURS] = hour;
        return;
    }
    if !count_hours(&mut bank[index::HOURS], b) {
        return;
    }
    *fell_back = false;
    count(&mut bank[index::DAY_OF_WEEK], 1, 7, b);
    let last = last_date(bank[index::MONTH], bank[index::YEAR], b);
    if count(&mut bank[index::DATE], 1, last, b)
        && count(&mut bank[index::MONTH], 1, 12, b)
        && count(&mut bank[index::YEAR], 0, 99, b)
    {
        count(&mut bank[index::CENTURY], 0, 99, b);
    }
}

/// Whether the time is the alarm's.
pub(super) fn alarm_matches(bank: &[u8]) -> bool {
    [
        (index::SECONDS, index::SECONDS_ALARM),
        (index::MINUTES, index::MINUTES_ALARM),
        (index::HOURS, index::HOURS_ALARM),
    ]
    .into_iter()
    .all(|(time, alarm)| bank[alarm] >= spec::ALARM_DONT_CARE || bank[alarm] == bank[time])
}

/// Sets time, date and century in BCD and 24-hour mode from seconds since 1970-01-01 00:00:00 UTC.
pub(super) fn set_from_unix(bank: &mut [u8], unix_seconds: u64) {
    let b = B::H24;
    let (days, second_of_day) = (unix_seconds / 86_400, unix_seconds % 86_400);
    // Years of 400 repeat exactly (146097 days, a whole number of weeks): count within one cycle from 2000-01-01.
    let mut day = (days + 2 * 146_097 - 10_957) % 146_097;
    let cycles = (days + 2 * 146_097 - 10_957) / 146_097;
    let mut year = 2000 + cycles.saturating_sub(2) * 400;
    if cycles < 2 {
        year = 1600;
    }
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    let days_in_year = |y: u64| if leap(y) { 366 } else { 365 };
    while day >= days_in_year(year) {
        day -= days_in_year(year);
        year += 1;
    }
    let mut month = 1;
    loop {
        let length = match month {
            2 if leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let mut set = |at: usize, value: u64| bank[at] = encode(value as u8, b);
    set(index::SECONDS, second_of_day % 60);
    set(index::MINUTES, second_of_day / 60 % 60);
    set(index::HOURS, second_of_day / 3600);
    // 1970-01-01 was a Thursday, day 5.
    set(index::DAY_OF_WEEK, (days + 4) % 7 + 1);
    set(index::DATE, day + 1);
    set(index::MONTH, month);
    set(index::YEAR, year % 100);
    set(index::CENTURY, year / 100 % 100);
}
