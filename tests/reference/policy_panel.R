# Reference values for difference in differences, by base R's lm and glm: imputation (fit to untreated cells, predict the treated),
# its errors by unit (Bell and McCaffrey's df) and by dispersion written out from the projection of lm, leads before adoption, and quasi-binomial odds.
# Run by `make references` in this folder. Writes policy_panel.csv, policy_panel_data.csv and .VERSIONS.
set.seed(20250701)
units <- 12; periods <- 10
adopted <- c(5, 5, 7, 7, 7, rep(Inf, 7))
data <- expand.grid(period = 0:(periods - 1), unit = 1:units)
data$cases <- round(runif(nrow(data), 40, 400))
rate <- plogis(-1.6 + rnorm(units, 0, 0.4)[data$unit] + 0.06 * data$period - 0.6 * (data$period >= adopted[data$unit]))
data$late <- rbinom(nrow(data), data$cases, rate)
data <- data[-c(4, 37, 88), ]
write.csv(data, "policy_panel_data.csv", row.names = FALSE)
since <- data$period - adopted[data$unit]
treated <- since >= 0
share <- data$late / data$cases
rows <- list()
put <- function(what, value) rows[[length(rows) + 1]] <<- data.frame(what = what, place = seq_along(value) - 1, value = value)
fit <- lm(share ~ factor(unit) + factor(period), weights = cases, data = data, subset = !treated)
effect <- share - predict(fit, data)
weight <- treated * data$cases / sum(data$cases[treated])
put("average", sum((weight * effect)[treated]))
x <- model.matrix(~ factor(unit) + factor(period), data)
gram <- solve(crossprod(x[!treated, ] * sqrt(data$cases[!treated])))
v <- ifelse(treated, weight, -data$cases * (x %*% (gram %*% crossprod(x, weight))))
# Sums over units as linear maps of the outcome, column by column; scaled and with Satterthwaite's df as if cells were independent.
unit_sums <- function(y) {
  found <- data.frame(share = y, data)
  left <- y - predict(lm(share ~ factor(unit) + factor(period), weights = cases, data = found, subset = !treated), found)
  for (k in unique(since[treated])) {
    now <- treated & since == k
    left[now] <- left[now] - weighted.mean(left[now], v[now]^2)
  }
  as.vector(tapply(v * left, data$unit, sum))
}
maps <- sapply(seq_along(share), function(k) unit_sums(as.numeric(seq_along(share) == k)))
ever <- is.finite(adopted)
parts <- dfs <- c()
for (group in list(ever, !ever)) {
  spread <- maps[group, ] %*% diag(1 / data$cases) %*% t(maps[group, ])
  true <- sum((v^2 / data$cases)[group[data$unit]])
  parts <- c(parts, sum(unit_sums(share)[group]^2) * true / sum(diag(spread)))
  dfs <- c(dfs, sum(diag(spread))^2 / sum(spread^2))
}
put("average_se", sqrt(sum(parts)))
put("average_df", sum(parts)^2 / sum(parts^2 / dfs))
lead <- outer(since, -3:-1, "==") * 1
leads <- lm(share ~ factor(unit) + factor(period) + lead, weights = cases, data = data, subset = !treated)
coefs <- tail(coef(leads), 3)
put("leads", unname(coefs))
free <- model.matrix(leads); w <- data$cases[!treated]
scores <- (free * (w * residuals(leads))) %*% solve(crossprod(free * sqrt(w)))
scores <- rowsum(scores[, ncol(free) - 2:0], data$unit[!treated])
cov <- crossprod(scores[ever, ]) * sum(ever) / (sum(ever) - 1) + crossprod(scores[!ever, ]) * sum(!ever) / (sum(!ever) - 1)
put("leads_se", unname(sqrt(diag(cov))))
d <- treated * 1
odds <- glm(cbind(late, cases - late) ~ factor(unit) + factor(period) + d, family = quasibinomial, data = data,
            control = glm.control(epsilon = 1e-14, maxit = 100))
put("log_odds", unname(tail(coef(odds), 1)))
put("log_odds_se", sqrt(vcov(odds)["d", "d"]))
put("dispersion", summary(odds)$dispersion)
table <- do.call(rbind, rows)
table$value <- formatC(table$value, digits = 15, format = "g")
write.csv(table, "policy_panel.csv", row.names = FALSE, quote = FALSE)
writeLines(R.version.string, "policy_panel.VERSIONS")
