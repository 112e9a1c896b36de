//! Floats in text, as other languages write them. All take the fewest digits that read back as the
//! same number, as Rust does; they differ in where the point goes.

/// The digits of a finite number that is not 0, and where its point is: 0.DIGITS times ten to that.
fn shortest(value: f64) -> (String, i32) {
    let text = format!("{:e}", value.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.chars().filter(char::is_ascii_digit).collect();
    (digits, exponent.parse().unwrap_or(0) + 1)
}

/// How a language writes what is not the plain case.
struct Style {
    infinity: &'static str,
    nan: &'static str,
    /// The point's places for which no exponent is written.
    plain: fn(point: i32, digits: i32) -> bool,
    /// Before the point of what is below 1.
    zero: &'static str,
    /// After a single digit that has an exponent.
    fraction: &'static str,
    /// What stands before the digits of an exponent, below 0 and otherwise, and how many these are
    /// at least.
    exponent: [&'static str; 2],
    exponent_digits: usize,
}

fn write(value: f64, style: &Style) -> String {
    if value.is_nan() {
        return style.nan.to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}{}", style.infinity);
    }
    if value == 0.0 {
        return format!("{sign}0");
    }
    let (digits, point) = shortest(value);
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let body = if !(style.plain)(point, count) {
        let (first, rest) = digits.split_at(1);
        let fraction = match rest {
            "" => style.fraction.to_owned(),
            rest => format!(".{rest}"),
        };
        let exponent = point - 1;
        let [below_0, otherwise] = style.exponent;
        let e = if exponent < 0 { below_0 } else { otherwise };
        let width = style.exponent_digits;
        format!("{first}{fraction}{e}{:0width$}", exponent.abs())
    } else if point <= 0 {
        format!("{}.{}{digits}", style.zero, "0".repeat(times(-point)))
    } else if point >= count {
        format!("{digits}{}", "0".repeat(times(point - count)))
    } else {
        let (whole, fraction) = digits.split_at(times(point));
        format!("{whole}.{fraction}")
    };
    format!("{sign}{body}")
}

fn times(count: i32) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// As Ruby's Marshal writes it (`w_float` in its `marshal.c`).
pub(super) fn ruby(value: f64) -> String {
    let style = Style {
        infinity: "inf",
        nan: "nan",
        plain: |point, digits| (-3..=digits).contains(&point),
        zero: "0",
        fraction: "",
        exponent: ["e-", "e"],
        exponent_digits: 1,
    };
    write(value, &style)
}

/// As PHP's `serialize` writes it with `serialize_precision` -1, which is its default (`php_gcvt`
/// in its `main/snprintf.c`).
pub(super) fn php(value: f64) -> String {
    let style = Style {
        infinity: "INF",
        nan: "NAN",
        plain: |point, _| (-3..=17).contains(&point),
        zero: "0",
        fraction: ".0",
        exponent: ["E-", "E+"],
        exponent_digits: 1,
    };
    write(value, &style)
}

/// As php-memcached writes a float that is a value of its own (its `g_fmt.c`).
pub(super) fn php_memcached(value: f64) -> String {
    let style = Style {
        infinity: "Infinity",
        nan: "NaN",
        plain: |point, digits| (-3..=digits + 5).contains(&point),
        zero: "",
        fraction: "",
        exponent: ["e-", "e+"],
        exponent_digits: 2,
    };
    write(value, &style)
}

/// What Python shows of a float: the fewest digits that stand for it alone, as Rust; with an
/// exponent, of a sign and at least two digits, below 1e-4 and from 1e16 on.
///
/// Source: `float_repr_style` in the documentation of `sys`, and format code `r` of
/// `PyOS_double_to_string`.
pub(super) fn python(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let magnitude = value.abs();
    if value.is_infinite() || magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return format!("{value:?}");
    }
    let shown = format!("{value:e}");
    match shown.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => shown.replace('e', "e+"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ruby 3.1, PHP 8.2 and php-memcached 3.2.0 wrote.
    #[test]
    fn as_they_write_them() {
        let rows: [(&str, &str, &str, &str); 29] = [
            ("0.0", "0", "0", "0"),
            ("-0.0", "-0", "-0", "-0"),
            ("1.5", "1.5", "1.5", "1.5"),
            ("-0.1", "-0.1", "-0.1", "-.1"),
            ("10.0", "1e1", "10", "10"),
            ("1234.0", "1234", "1234", "1234"),
            ("1234.5", "1234.5", "1234.5", "1234.5"),
            ("0.001", "0.001", "0.001", ".001"),
            ("0.0001", "0.0001", "0.0001", ".0001"),
            ("0.00001", "1e-5", "1.0E-5", "1e-05"),
            ("0.000123", "0.000123", "0.000123", ".000123"),
            ("0.0000123", "1.23e-5", "1.23E-5", "1.23e-05"),
            ("1e16", "1e16", "10000000000000000", "1e+16"),
            ("1e17", "1e17", "1.0E+17", "1e+17"),
            ("1e18", "1e18", "1.0E+18", "1e+18"),
            (
                "123456789012345680.0",
                "1.2345678901234568e17",
                "1.2345678901234568E+17",
                "123456789012345680",
            ),
            (
                "9007199254740993.0",
                "9007199254740992",
                "9007199254740992",
                "9007199254740992",
            ),
            ("1e100", "1e100", "1.0E+100", "1e+100"),
            (
                "1.7976931348623157e308",
                "1.7976931348623157e308",
                "1.7976931348623157E+308",
                "1.7976931348623157e+308",
            ),
            ("5e-324", "5e-324", "5.0E-324", "5e-324"),
            (
                "0.30000000000000004",
                "0.30000000000000004",
                "0.30000000000000004",
                ".30000000000000004",
            ),
            ("100000.0", "1e5", "100000", "100000"),
            ("1000000.0", "1e6", "1000000", "1e+06"),
            ("1200000.0", "1.2e6", "1200000", "1200000"),
            ("12000000.0", "1.2e7", "12000000", "1.2e+07"),
            ("-1.5e300", "-1.5e300", "-1.5E+300", "-1.5e+300"),
            ("inf", "inf", "INF", "Infinity"),
            ("-inf", "-inf", "-INF", "-Infinity"),
            ("nan", "nan", "NAN", "NaN"),
        ];
        for (number, in_ruby, in_php, in_php_memcached) in rows {
            let value = number.parse().unwrap();
            assert_eq!(ruby(value), in_ruby);
            assert_eq!(php(value), in_php);
            assert_eq!(php_memcached(value), in_php_memcached);
        }
    }

    /// The right column is what `python3 -c 'print(..)'` shows.
    #[test]
    fn as_python_shows_them() {
        let rows = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.5, "1.5"),
            (-2.25, "-2.25"),
            (100.0, "100.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (std::f64::consts::PI, "3.141592653589793"),
            (0.0001, "0.0001"),
            (0.000_123, "0.000123"),
            (0.000_099, "9.9e-05"),
            (0.000_01, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (-1.25e17, "-1.25e+17"),
            (1e22, "1e+22"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, shown) in rows {
            assert_eq!(python(value), shown);
        }
    }
}
