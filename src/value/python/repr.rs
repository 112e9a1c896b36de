/// What Python shows of a float: the fewest digits that stand for it alone, as Rust; with an
/// exponent, of a sign and at least two digits, below 1e-4 and from 1e16 on.
///
/// Source: `float_repr_style` in the documentation of `sys`, and format code `r` of
/// `PyOS_double_to_string`.
pub(super) fn repr(value: f64) -> String {
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

    /// The right column is what `python3 -c 'print(..)'` shows.
    #[test]
    fn as_python() {
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
            assert_eq!(repr(value), shown);
        }
    }
}
