//! The arguments of the objective.

use fastmlp_core::{Error, Objective, Report};

use crate::error::BindResult;

/// The objective that `alpha` and `report` describe.
pub(crate) fn objective(alpha: f64, report: &str) -> BindResult<Objective> {
    let report = match report {
        "objective" => Report::Objective,
        "scikit-learn" => Report::ScikitLearn,
        _ => {
            let expected = r#""objective" or "scikit-learn""#;
            return Err(Error::value("report", format_args!("{report:?}"), expected).into());
        }
    };
    let objective = Objective { alpha, report };
    objective.check()?;
    Ok(objective)
}
