"""Real series in time: probabilistic forecasts and imputations beside classical ones."""
