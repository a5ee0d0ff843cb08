"""Systems that evolve in time: forecasts and assimilation by score models of short windows."""
