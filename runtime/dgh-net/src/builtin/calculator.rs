//! Arithmetic as people write it, exact in decimals: `+ - * /`, brackets, percent. `100 + 8%`
//! adds eight hundredths of the hundred, as a pocket calculator does; `8%` elsewhere is 0.08.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = sign (("*" | "/") sign)*
//! sign    = ("+" | "-") sign | value "%"?
//! value   = number | "(" sum ")"
//! ```

use rust_decimal::Decimal;

/// Longest expression.
pub const MAX_EXPRESSION_BYTES: usize = 1_000;
/// Deepest nesting of brackets and signs.
pub const MAX_DEPTH: usize = 32;

/// The value of an expression, to 28 digits.
pub fn calculate(expression: &str) -> Result<Decimal, String> {
    if expression.len() > MAX_EXPRESSION_BYTES {
        return Err(format!("the expression is longer than {MAX_EXPRESSION_BYTES} bytes"));
    }
    let mut parser =
        Parser { rest: expression.chars().filter(|c| !c.is_whitespace()).map(plain).collect(), at: 0 };
    if parser.rest.is_empty() {
        return Err("the expression is empty".to_owned());
    }
    let value = parser.sum(0)?.value;
    match parser.peek() {
        None => Ok(value.normalize()),
        Some(c) => Err(format!("`{c}` was not expected in the expression")),
    }
}

/// Signs that mean the same.
fn plain(c: char) -> char {
    match c {
        '×' | '·' | '∙' => '*',
        '÷' | '∕' => '/',
        '−' | '–' => '-',
        other => other,
    }
}

struct Parser {
    rest: Vec<char>,
    at: usize,
}

/// A value, and whether it was a bare percentage.
#[derive(Clone, Copy)]
struct Term {
    value: Decimal,
    percent: bool,
}

impl Parser {
    fn sum(&mut self, depth: usize) -> Result<Term, String> {
        let mut left = self.product(depth)?;
        while let Some(op) = self.take(&['+', '-']) {
            let right = self.product(depth)?;
            let amount = if right.percent { multiply(left.value, right.value)? } else { right.value };
            let value =
                if op == '+' { left.value.checked_add(amount) } else { left.value.checked_sub(amount) };
            left = Term { value: value.ok_or_else(too_large)?, percent: false };
        }
        Ok(left)
    }

    fn product(&mut self, depth: usize) -> Result<Term, String> {
        let mut left = self.sign(depth)?;
        while let Some(op) = self.take(&['*', '/']) {
            let right = self.sign(depth)?.value;
            let value = match op {
                '*' => multiply(left.value, right)?,
                _ if right.is_zero() => return Err("this divides by zero".to_owned()),
                _ => left.value.checked_div(right).ok_or_else(too_large)?,
            };
            left = Term { value, percent: false };
        }
        Ok(left)
    }

    fn sign(&mut self, depth: usize) -> Result<Term, String> {
        match self.take(&['+', '-']) {
            Some('-') => {
                let term = self.sign(deeper(depth)?)?;
                Ok(Term { value: -term.value, ..term })
            }
            Some(_) => self.sign(deeper(depth)?),
            None => {
                let value = self.value(depth)?;
                if self.take(&['%']).is_none() {
                    return Ok(Term { value, percent: false });
                }
                Ok(Term {
                    value: value.checked_div(Decimal::ONE_HUNDRED).ok_or_else(too_large)?,
                    percent: true,
                })
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Decimal, String> {
        if self.take(&['(']).is_some() {
            let inner = self.sum(deeper(depth)?)?;
            self.take(&[')']).ok_or("a bracket is not closed")?;
            return Ok(inner.value);
        }
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit() || matches!(c, '.' | '_')) {
            self.at += 1;
        }
        let digits: String = self.rest.iter().take(self.at).skip(start).filter(|c| **c != '_').collect();
        match (digits.as_str(), self.peek()) {
            ("", None) => Err("the expression ends too early".to_owned()),
            // 1,000 and 1,5 look alike.
            ("", Some(c)) => Err(format!("`{c}` was not expected in the expression")),
            (_, Some(',')) => Err("a comma in a number is not clear: write 1000 or 1.5".to_owned()),
            (digits, _) => digits.parse().map_err(|_| format!("`{digits}` is not a number")),
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn take(&mut self, any: &[char]) -> Option<char> {
        let c = self.peek().filter(|c| any.contains(c))?;
        self.at += 1;
        Some(c)
    }
}

fn deeper(depth: usize) -> Result<usize, String> {
    if depth >= MAX_DEPTH { Err("the expression is nested too deeply".to_owned()) } else { Ok(depth + 1) }
}

fn multiply(a: Decimal, b: Decimal) -> Result<Decimal, String> {
    a.checked_mul(b).ok_or_else(too_large)
}

fn too_large() -> String {
    "the result is too large".to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sums_are_exact() {
        for (expression, value) in [
            ("0.1 + 0.2", "0.3"),
            ("2 + 3 * 4", "14"),
            ("(2 + 3) × 4 ÷ 2 − 1", "9"),
            ("--3 * -2", "-6"),
            ("10 / 4", "2.5"),
            ("1_000 * 1.10", "1100"),
            ("(12.50 * 3) + 8%", "40.5"),
            ("200 - 15%", "170"),
            ("15% * 200", "30"),
            ("8%", "0.08"),
            ("100 + 10% + 10%", "121"),
            (".5 + 5.", "5.5"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
        ] {
            assert_eq!(calculate(expression).unwrap().to_string(), value, "{expression}");
        }
        assert_eq!(calculate("1/3").unwrap().to_string(), "0.3333333333333333333333333333");
    }

    #[test]
    fn what_is_no_sum_is_an_error() {
        for (expression, message) in [
            ("", "is empty"),
            ("  ", "is empty"),
            ("2 +", "ends too early"),
            ("(2", "not closed"),
            ("2)", "`)` was not expected"),
            ("two", "`t` was not expected"),
            ("2 $ 3", "`$` was not expected"),
            ("1,000 + 1", "comma"),
            ("1.2.3", "not a number"),
            ("1 / 0", "divides by zero"),
            ("2 ^ 3", "`^` was not expected"),
            ("79228162514264337593543950335 + 1", "too large"),
            ("%", "`%` was not expected"),
        ] {
            match calculate(expression) {
                Err(error) => assert!(error.contains(message), "{expression}: {error}"),
                Ok(value) => panic!("{expression} is {value}"),
            }
        }
    }

    #[test]
    fn long_and_deep_expressions_are_refused() {
        assert!(calculate(&"1+".repeat(600)).unwrap_err().contains("longer"));
        for deep in ["(".repeat(900), "-".repeat(900)] {
            assert!(calculate(&deep).unwrap_err().contains("deeply"), "{deep}");
        }
    }
}
