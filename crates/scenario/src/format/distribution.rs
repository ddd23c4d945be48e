//! Distributions of delays.

use crate::diagnostic::Diagnostic;
use crate::document::{Node, Value};
use crate::form::{At, Form};
use crate::read::Reader;
use crate::schema::{Schemas, any_of};
use inflight_des::delay::Quantiles;
use inflight_des::{Delay, Span};
use serde_json::{Value as Json, json};

object! {
    /// Always the same delay. A duration alone means the same.
    struct Constant {
        /// The delay.
        "constant" delay: required Span,
    }
}

object! {
    /// Every delay between two is equally likely.
    struct Uniform {
        /// The least and the greatest delay.
        "uniform" bounds: required At<Vec<Span>>,
    }
}

object! {
    /// Exponentially distributed: many short delays and some long ones.
    struct Exponential {
        /// The mean, without the floor.
        "exponential" mean: required Span,
        /// Added to every delay.
        "floor" floor: default Span = "\"0ms\"",
    }
}

object! {
    /// Log-normally distributed: a heavy tail. With a sigma of 1 the 99th percentile is ten times
    /// the median.
    struct LogNormal {
        /// Half of the delays are below.
        "lognormal" median: required Span,
        /// The standard deviation of the logarithm.
        "sigma" sigma: required Sigma,
    }
}

object! {
    /// The sum of several exponential delays: between constant and exponential.
    struct Erlang {
        /// The mean of the sum.
        "erlang" mean: required Span,
        /// How many there are, from 1 to 64.
        "shape" shape: required At<u32>,
    }
}

object! {
    /// A measured distribution, by its values at equally spaced probabilities, linear in between.
    struct Measured {
        /// The least, the values in between, and the greatest: at least two, ascending.
        "quantiles" values: required At<Vec<Span>>,
    }
}

choice! {
    /// A distribution of delays.
    enum Shape {
        "constant" Constant(Constant),
        "uniform" Uniform(Uniform),
        "exponential" Exponential(Exponential),
        "lognormal" LogNormal(LogNormal),
        "erlang" Erlang(Erlang),
        "quantiles" Measured(Measured),
    }
}

const EXPECTED: &str = "a duration such as \"250us\" or a distribution such as \
                        { \"exponential\": \"200us\", \"floor\": \"50us\" }";

impl Form for Delay {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Text(_) | Value::Number(_) => Span::read(node, reader).map(Self::Constant),
            Value::Object(_) => Shape::read(node, reader)?.delay(reader),
            Value::Null | Value::Bool(_) | Value::List(_) => {
                reader.mismatch(node, EXPECTED);
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Distribution", |schemas| {
            let any = [Span::schema(schemas), Shape::schema(schemas)];
            any_of("A duration, or a distribution of durations.", any)
        })
    }

    fn expected() -> Option<&'static str> {
        Some(EXPECTED)
    }
}

impl Shape {
    fn delay(self, reader: &mut Reader<'_>) -> Option<Delay> {
        let mut wrong = |place, problem: &str, expected: &str| {
            reader.report(Diagnostic::error(place, problem).expected(expected));
            None
        };
        match self {
            Self::Constant(Constant { delay }) => Some(Delay::Constant(delay)),
            Self::Uniform(Uniform { bounds }) => match bounds.value.as_slice() {
                [low, high] if low <= high => Some(Delay::Uniform { low: *low, high: *high }),
                [_, _] => wrong(bounds.place, "the first is above the second", "ascending order"),
                list => {
                    let problem = format!("{} delays", list.len());
                    wrong(bounds.place, &problem, "two: the least and the greatest")
                }
            },
            Self::Exponential(Exponential { mean, floor }) => {
                Some(Delay::Exponential { floor, mean })
            }
            Self::LogNormal(LogNormal { median, sigma }) => {
                Some(Delay::LogNormal { median, sigma: sigma.0 })
            }
            Self::Erlang(Erlang { mean, shape }) => {
                if (1..=Delay::ERLANG_SHAPE_MAX).contains(&shape.value) {
                    return Some(Delay::Erlang { shape: shape.value, mean });
                }
                wrong(shape.place, &shape.value.to_string(), "a whole number from 1 to 64")
            }
            Self::Measured(Measured { values }) => {
                let quantiles = Quantiles::new(values.value).map(Delay::Empirical);
                let expected = "at least two durations in ascending order";
                quantiles.or_else(|| wrong(values.place, "no distribution", expected))
            }
        }
    }
}

/// The standard deviation of a logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sigma(f64);

/// More than this makes delays beyond any use.
const SIGMA_MAX: f64 = 10.0;

impl Form for Sigma {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let number = node.as_number().and_then(|number| number.parse().ok());
        let sigma = number.filter(|number| (0.0..=SIGMA_MAX).contains(number));
        if sigma.is_none() {
            reader.mismatch(node, "a number from 0 to 10, without unit");
        }
        sigma.map(Self)
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "number", "minimum": 0, "maximum": SIGMA_MAX })
    }

    fn expected() -> Option<&'static str> {
        Some("a number from 0 to 10")
    }
}
