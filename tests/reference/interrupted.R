# Reference values of R's nlme: generalised least squares with AR(1) errors by REML, on monthly shares.
# Run by `make references` in this folder; needs r-cran-nlme. Writes interrupted.csv, interrupted_data.csv and .VERSIONS.
suppressMessages(library(nlme))
set.seed(20240628)
n <- 36
month <- 0:(n - 1)
cases <- round(runif(n, 200, 900))
noise <- as.vector(arima.sim(list(ar = 0.45), n, sd = 0.02))
share <- round(0.14 + 0.001 * month - 0.04 * (month >= 20) - 0.002 * pmax(month - 20, 0) + 0.02 * sin(2 * pi * month / 12) + noise, 6)
data <- data.frame(month, cases, share, after = as.numeric(month >= 20), since = pmax(month - 20, 0),
                   sine = sin(2 * pi * month / 12), cosine = cos(2 * pi * month / 12))
write.csv(data, "interrupted_data.csv", row.names = FALSE)
control <- glsControl(tolerance = 1e-12, msTol = 1e-14, msMaxIter = 1000, maxIter = 1000)
rows <- list()
fit <- gls(share ~ month + after + since + sine + cosine, data = data, method = "REML", correlation = corAR1(form = ~ month),
           control = control)
put <- function(what, value) rows[[length(rows) + 1]] <<- data.frame(case = "plain", what = what, place = seq_along(value) - 1, value = value)
put("coef", as.vector(coef(fit)))
put("se", sqrt(diag(vcov(fit))))
put("rho", as.vector(coef(fit$modelStruct$corStruct, unconstrained = FALSE)))
put("sigma", fit$sigma)
table <- do.call(rbind, rows)
table$value <- formatC(table$value, digits = 15, format = "g")
write.csv(table, "interrupted.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("nlme", packageVersion("nlme"))), "interrupted.VERSIONS")
