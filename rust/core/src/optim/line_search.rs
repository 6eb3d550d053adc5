//! How far to go along a direction in which a function falls: the search of Moré and Thuente, "Line search algorithms
//! with guaranteed sufficient decrease", ACM TOMS 20 (1994).

/// A step ends the search if the function falls by this part of what its slope at the start promises, ...
const DECREASE: f64 = 1e-3;
/// ... and its slope by this one; or if the interval around the step is this narrow, relative to the step.
const FLATNESS: f64 = 0.9;
const NARROW: f64 = 0.1;
/// The longest step.
const LONGEST: f64 = 1e10;
/// While the minimum is not enclosed, a step may be followed by one that is longer by between these multiples of its
/// distance from the best one.
const LONGER: [f64; 2] = [1.1, 4.0];
/// The enclosing interval shrinks to this part in two trials, or is halved.
const SHRINKAGE: f64 = 0.66;
/// A step to where the function has no value is shortened to this part.
const RETREAT: f64 = 0.1;

/// A step, and the function and its slope there.
#[derive(Clone, Copy, Debug)]
struct Point {
    step: f64,
    value: f64,
    slope: f64,
}

impl Point {
    /// The same of the function less a line.
    fn less(self, slope: f64) -> Self {
        Self { value: self.value - self.step * slope, slope: self.slope - slope, ..self }
    }
}

/// What follows from a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Another step is to be tried.
    Try,
    /// The step ends the search.
    Accept,
}

/// A search in progress.
#[derive(Debug)]
pub(crate) struct LineSearch {
    start: Point,
    /// The end of the interval with the least value.
    best: Point,
    /// Its other end.
    other: Point,
    /// Whether a minimum is between the two.
    encloses: bool,
    /// Whether no step yet has both fallen enough and passed a minimum: until then a function whose minimum satisfies
    /// the first condition takes the place of the function.
    is_first_stage: bool,
    step: f64,
    /// Between which the step is.
    range: [f64; 2],
    longest: f64,
    /// Whether a step led to where the function has no value.
    is_barred: bool,
    /// Widths of the interval after the last trial and the one before.
    widths: [f64; 2],
}

impl LineSearch {
    /// A search that begins with this step, for a function with a value and a negative slope at 0.
    pub(crate) fn new(value: f64, slope: f64, step: f64) -> Self {
        let (start, step) = (Point { step: 0.0, value, slope }, step.min(LONGEST));
        Self {
            start,
            best: start,
            other: start,
            encloses: false,
            is_first_stage: true,
            step,
            range: [0.0, step + LONGER[1] * step],
            longest: LONGEST,
            is_barred: false,
            widths: [LONGEST, 2.0 * LONGEST],
        }
    }

    /// The step to try.
    pub(crate) fn step(&self) -> f64 {
        self.step
    }

    /// Takes the function and its slope at the step; they may be infinite or NaN.
    pub(crate) fn see(&mut self, value: f64, slope: f64) -> Verdict {
        if !(value.is_finite() && slope.is_finite()) {
            self.retreat();
            return Verdict::Try;
        }
        let trial = Point { step: self.step, value, slope };
        let least_slope = DECREASE * self.start.slope;
        let falls = value <= self.start.value + trial.step * least_slope;
        if self.is_first_stage && falls && slope >= 0.0 {
            self.is_first_stage = false;
        }
        let is_flat = slope.abs() <= FLATNESS * -self.start.slope;
        let is_last = (self.is_barred || trial.step >= self.longest) && slope <= least_slope;
        if falls && (is_flat || is_last) || self.is_exhausted() {
            return Verdict::Accept;
        }
        if self.is_first_stage && value <= self.best.value && !falls {
            let [best, other, trial] = [self.best, self.other, trial].map(|point| point.less(least_slope));
            self.take(best, other, trial);
            [self.best, self.other] = [self.best, self.other].map(|point| point.less(-least_slope));
        } else {
            self.take(self.best, self.other, trial);
        }
        self.choose_range();
        if self.step == trial.step { Verdict::Accept } else { Verdict::Try }
    }

    /// Goes back from where the function has no value. That it falls enough suffices from then on.
    pub(crate) fn retreat(&mut self) {
        (self.longest, self.is_barred) = (self.step, true);
        self.step = self.best.step + RETREAT * (self.step - self.best.step);
    }

    /// Whether rounding leaves nothing to try within the interval, or it is narrow.
    fn is_exhausted(&self) -> bool {
        let [least, most] = self.range;
        let is_outside = self.step <= least || self.step >= most;
        self.encloses && (is_outside || most - least <= NARROW * most)
    }

    /// Updates the interval by a trial and proposes the next step.
    fn take(&mut self, best: Point, other: Point, trial: Point) {
        let turns = trial.slope * best.slope.signum() < 0.0;
        let [least, most] = self.range;
        let encloses = self.encloses;
        self.encloses |= trial.value > best.value || turns;
        let step = if trial.value > best.value {
            let (cubic, quadratic) = (Cubic::through(best, trial).minimum(), quadratic_by_value(best, trial));
            if (cubic - best.step).abs() < (quadratic - best.step).abs() {
                cubic
            } else {
                cubic + (quadratic - cubic) / 2.0
            }
        } else if turns {
            let (cubic, secant) = (Cubic::through(trial, best).minimum(), secant(trial, best));
            if (cubic - trial.step).abs() > (secant - trial.step).abs() { cubic } else { secant }
        } else if trial.slope.abs() < best.slope.abs() {
            let end = if trial.step > best.step { most } else { least };
            let cubic = Cubic::through(trial, best).minimum_beyond().unwrap_or(end);
            let secant = secant(trial, best);
            let cubic_is_near = (cubic - trial.step).abs() < (secant - trial.step).abs();
            let step = if cubic_is_near == encloses { cubic } else { secant };
            if encloses {
                let limit = trial.step + SHRINKAGE * (other.step - trial.step);
                if trial.step > best.step { step.min(limit) } else { step.max(limit) }
            } else {
                step.clamp(least, most)
            }
        } else if encloses {
            Cubic::through(trial, other).minimum()
        } else if trial.step > best.step {
            most
        } else {
            least
        };
        (self.best, self.other) = if trial.value > best.value {
            (best, trial)
        } else if turns {
            (trial, best)
        } else {
            (trial, other)
        };
        self.step = step;
    }

    /// Sets the range of the next step, and moves the step into it.
    fn choose_range(&mut self) {
        let (best, other) = (self.best.step, self.other.step);
        if self.encloses {
            let width = (other - best).abs();
            if width >= SHRINKAGE * self.widths[1] {
                self.step = f64::midpoint(best, other);
            }
            self.widths = [width, self.widths[0]];
            self.range = [best.min(other), best.max(other)];
        } else {
            self.range = LONGER.map(|times| self.step + times * (self.step - best));
        }
        self.step = self.step.clamp(0.0, self.longest);
        if self.is_exhausted() {
            self.step = best;
        }
    }
}

/// The cubic with the values and slopes of two points.
struct Cubic {
    from: f64,
    length: f64,
    /// Where its minimum is, as a part of the way from the first point to the second.
    part: f64,
    /// Whether it has one.
    bends: bool,
}

impl Cubic {
    fn through(from: Point, to: Point) -> Self {
        let length = to.step - from.step;
        let theta = 3.0 * (from.value - to.value) / length + from.slope + to.slope;
        let scale = theta.abs().max(from.slope.abs()).max(to.slope.abs());
        let square = (theta / scale).powi(2) - from.slope / scale * (to.slope / scale);
        let gamma = (scale * square.max(0.0).sqrt()).copysign(length);
        let part = (gamma - from.slope + theta) / (gamma - from.slope + gamma + to.slope);
        Self { from: from.step, length, part, bends: gamma != 0.0 }
    }

    fn minimum(&self) -> f64 {
        self.from + self.part * self.length
    }

    /// The minimum, if it is before the first point as seen from the second.
    fn minimum_beyond(&self) -> Option<f64> {
        (self.part < 0.0 && self.bends).then(|| self.minimum())
    }
}

/// The minimum of the parabola with the values of two points and the slope of the first.
fn quadratic_by_value(from: Point, to: Point) -> f64 {
    let length = to.step - from.step;
    from.step + from.slope / ((from.value - to.value) / length + from.slope) / 2.0 * length
}

/// Where the slopes of two points, continued in a straight line, are 0.
fn secant(from: Point, to: Point) -> f64 {
    from.step + from.slope / (from.slope - to.slope) * (to.step - from.step)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Function = fn(f64) -> (f64, f64);

    /// Functions and slopes of Moré and Thuente, section 5, whose minima are narrow, far away, or among others; and a
    /// parabola.
    const FUNCTIONS: [(&str, Function); 5] = [
        ("concave beyond the minimum", |a| {
            let below = a * a + 2.0;
            (-a / below, (a * a - 2.0) / (below * below))
        }),
        ("flat around the minimum", |a| {
            let x = a + 0.004;
            (x.powi(5) - 2.0 * x.powi(4), 5.0 * x.powi(4) - 8.0 * x.powi(3))
        }),
        ("wavy", |a| {
            const BETA: f64 = 0.01;
            let (base, slope) = if a <= 1.0 - BETA {
                (1.0 - a, -1.0)
            } else if a >= 1.0 + BETA {
                (a - 1.0, 1.0)
            } else {
                ((a - 1.0).powi(2) / (2.0 * BETA) + BETA / 2.0, (a - 1.0) / BETA)
            };
            let pace = 39.0 * std::f64::consts::FRAC_PI_2;
            let height = 2.0 * (1.0 - BETA) / (39.0 * std::f64::consts::PI);
            (base + height * (pace * a).sin(), slope + height * pace * (pace * a).cos())
        }),
        ("narrow", |a| {
            let root = |b: f64| (1.0_f64 + b * b).sqrt() - b;
            let (one, two) = (root(0.001), root(0.001));
            let (left, right) = ((1.0 - a).hypot(0.001), a.hypot(0.001));
            (one * left + two * right, -one * (1.0 - a) / left + two * a / right)
        }),
        ("parabola", |a| ((a - 3.0).powi(2), 2.0 * (a - 3.0))),
    ];

    /// The accepted step and the number of trials.
    fn searched(function: impl Fn(f64) -> (f64, f64), first: f64) -> (f64, usize) {
        let (value, slope) = function(0.0);
        let mut search = LineSearch::new(value, slope, first);
        for trials in 1..100 {
            let step = search.step();
            let (value, slope) = function(step);
            if search.see(value, slope) == Verdict::Accept {
                return (step, trials);
            }
        }
        panic!("no step is accepted");
    }

    #[test]
    fn the_function_and_its_slope_have_fallen() {
        for (name, function) in FUNCTIONS {
            for first in [1e-3, 0.1, 1.0, 10.0, 1e3] {
                let (step, trials) = searched(function, first);
                let ((at_start, slope_at_start), (value, slope)) = (function(0.0), function(step));
                assert!(value <= at_start + DECREASE * step * slope_at_start, "{name}, {first}: {step}");
                let is_narrow = function(0.9 * step).1 < 0.0 && function(1.1 * step).1 > 0.0;
                let is_flat = slope.abs() <= FLATNESS * -slope_at_start;
                assert!(is_flat || is_narrow, "{name}, {first}: {step}");
                assert!(trials <= 15, "{name}, {first}: {trials} trials");
            }
        }
    }

    #[test]
    fn a_step_to_where_there_is_no_value_is_shortened() {
        for nothing in [f64::NAN, f64::INFINITY] {
            let function = |a: f64| if a > 2.0 { (nothing, nothing) } else { (-a, -1.0) };
            let (step, _) = searched(function, 100.0);
            assert!(step > 0.0 && step <= 2.0, "{step}");
        }
    }

    #[test]
    fn a_function_that_only_falls_ends_at_the_longest_step() {
        assert_eq!(searched(|a| (-a, -1.0), 1.0).0, LONGEST);
    }

    /// As where rounding hides that the function falls.
    #[test]
    fn a_function_that_rises_against_its_slope_ends_near_the_start() {
        let (step, _) = searched(|a| (if a > 0.0 { 1.0 } else { 0.0 }, -1.0), 1.0);
        assert!(step.abs() < 1e-3, "{step}");
    }
}
